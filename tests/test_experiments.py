"""The experiments: recipes as they are told, equal terms for all, one protocol for every model."""

import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import evaluate, experiments, fields, integrate, store, systems, train
from lnn_tutorial.experiments import double, particle, waves

DOUBLE = systems.DoublePendulum()
KEY = jax.random.key(0)


def updates(optimizer, steps):
    """What an optimiser adds to a number whose gradient is always one."""
    state, found = optimizer.init(jnp.zeros(())), []
    for _ in range(steps):
        change, state = optimizer.update(jnp.ones(()), state, jnp.zeros(()))
        found.append(float(change))
    return found


# --- What the paper's text states --------------------------------------------------------------


def test_the_papers_networks_are_four_layers_of_500_softplus():
    for model in experiments.paper_models().values():
        layers = jax.eval_shape(model.init, KEY)
        sizes = [layer["weight"].shape for layer in layers]
        assert sizes == [(4, 500), (500, 500), (500, 500), (500, 500), (500, model.outputs)]
        assert model.activation == "softplus"
    assert [model.outputs for model in experiments.paper_models().values()] == [1, 2]


def test_the_papers_networks_see_raw_wrapped_angles_and_raw_velocities():
    for model in experiments.paper_models().values():
        features = model.features(jnp.array([4.0, -4.0]), jnp.array([7.0, -8.0]))
        np.testing.assert_allclose(features, [4 - 2 * np.pi, 2 * np.pi - 4, 7, -8], rtol=1e-5)


def test_the_papers_lagrangian_starts_from_eq_16_and_has_no_offset():
    """σ = 2.2/√n at first, 0.58 i/√n for the hidden matrices, √n at the end; n = 500."""
    model = experiments.paper_models()["lnn"]
    params = model.init(KEY)
    expected = np.array([2.2, 0.58, 2 * 0.58, 3 * 0.58, 500]) / 500**0.5
    # A spread from n draws is known to 1/√(2 n), 3 % for 500.
    np.testing.assert_allclose([x["weight"].std() for x in params], expected, rtol=0.1)
    nothing = jax.tree.map(jnp.zeros_like, params)
    assert float(model.lagrangian(nothing, jnp.ones(2), jnp.ones(2))) == 0


def test_the_papers_recipe_is_adam_from_1e3_down_on_batches_of_32_from_the_box():
    recipe = experiments.paper_recipe()
    assert (recipe.batch_size, recipe.loss, recipe.states) == (32, "l1", "box")
    # With a constant gradient each step of Adam is the learning rate itself.
    found, expected = updates(recipe.optimizer(4), 4), -1e-3 * np.array([1, 0.75, 0.5, 0.25])
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert experiments.paper_recipe("l2").loss == "l2"


@pytest.mark.parametrize(("name", "power"), [("l1", 1), ("l2", 2)])
def test_a_recipe_trains_on_the_loss_and_the_states_that_it_names(name, power):
    """The first loss, by hand: Σᵢ |âᵢ − aᵢ| or its squares, of 32 states, from the run's seed."""
    model = replace(experiments.paper_models()["plain"], width=8, depth=1)
    fit = experiments.paper_recipe(name).fit(model, seed=5, steps=1, label="x", progress=False)
    init_key, data_key = jax.random.split(jax.random.key(5))
    q, v = DOUBLE.sample(jax.random.fold_in(data_key, 0), 32)
    found = jax.vmap(lambda q, v: model.acceleration(model.init(init_key), q, v))(q, v)
    miss = np.abs(found - jax.vmap(DOUBLE.acceleration)(q, v))
    assert fit.losses[0] == pytest.approx((miss**power).sum(axis=1).mean(), rel=1e-4)


# --- What the course does ----------------------------------------------------------------------


def test_the_contestants_differ_in_their_last_layer_alone():
    shapes = {
        name: [x["weight"].shape for x in jax.eval_shape(model.init, KEY)]
        for name, model in experiments.double_pendulum_models().items()
    }
    assert shapes["lnn"][:-1] == shapes["plain"][:-1]
    assert [shapes[name][-1][1] for name in ("lnn", "plain")] == [1, 2]


def test_a_change_reaches_both_contestants():
    for model in experiments.double_pendulum_models(width=7, angle_features="wrapped").values():
        assert (model.width, model.angle_features) == (7, "wrapped")


def test_box_and_visited_are_two_kinds_of_states(monkeypatch):
    """The box holds ±10 rad/s evenly; a pendulum that started slowly is rarely that fast."""
    visited = train.visited

    def few(system, key):
        return visited(system, key, starts=20, seconds=4.0)

    monkeypatch.setattr(train, "visited", few)
    drawn = {}
    for states, seed in (("box", 0), ("visited", 0), ("visited", 1)):
        recipe = experiments.double_pendulum_recipe(states, seed)
        assert recipe.states == states
        drawn[states, seed] = recipe.batches(KEY, 1000)[1][:, 0]
    assert drawn["box", 0].std() == pytest.approx(20 / 12**0.5, rel=0.05)
    assert drawn["visited", 0].std() < 0.6 * drawn["box", 0].std()
    assert not np.array_equal(drawn["visited", 0], drawn["visited", 1])  # other motions


def test_the_double_pendulums_protocol_is_the_papers():
    protocol = experiments.double_pendulum_protocol()
    assert (protocol.starts, protocol.seconds, protocol.frame) == (40, 100.0, 0.1)
    highest, lowest = (
        float(DOUBLE.energy(jnp.full(2, angle), jnp.zeros(2))) for angle in (np.pi, 0.0)
    )
    assert protocol.unit == pytest.approx(highest) == pytest.approx(-lowest)
    assert experiments.double_pendulum_protocol(3, substeps=5).substeps == 5


# --- The experiment ----------------------------------------------------------------------------


class Ledger:
    """Stands for training: tells which seconds were asked for, at fixed seconds for a step."""

    def __init__(self, **cost):
        self.cost, self.calls = cost, {}

    def __call__(self, recipe, model, *, seed, steps, label, **settings):
        self.calls[label] = (type(model).__name__, recipe.states, recipe.loss, seed, steps)
        return train.Fit(None, np.zeros(steps), self.cost[type(model).__name__] * steps)


class Judge:
    """Stands for the protocol."""

    def __init__(self, starts):
        self.starts = starts

    def figures(self, model, params):
        return {"energy_error_last": 0.5}

    def floor(self):
        return {"energy_error_last": 0.0}


@pytest.fixture
def experiment(monkeypatch):
    def run(ledger, **settings):
        monkeypatch.setattr(double, "double_pendulum_protocol", Judge)
        monkeypatch.setattr(
            experiments.Recipe, "fit", lambda recipe, model, **s: ledger(recipe, model, **s)
        )
        return experiments.double_pendulum(**settings)

    return run


@pytest.mark.parametrize(
    ("lnn", "plain", "more"),
    [(0.005, 0.001, 5000), (0.0051, 0.001, 5000), (0.0054, 0.001, 5500), (0.001, 0.002, 1000)],
)
def test_equal_time_is_as_many_steps_as_fit_into_the_lagrangians_time(experiment, lnn, plain, more):
    """In whole chunks of 500, and never fewer than the Lagrangian network has."""
    ledger = Ledger(LNN=lnn, PlainNetwork=plain)
    result = experiment(ledger, seed=7, steps=1000, starts=3)
    assert ledger.calls == {
        "lnn": ("LNN", "box", "relative", 7, 1000),
        "plain": ("PlainNetwork", "box", "relative", 7, 1000),
        "plain_same_time": ("PlainNetwork", "box", "relative", 7, more),
    }
    assert result["models"]["plain_same_time"]["states_seen"] == 128 * more
    assert result["states_seen"] == result["models"]["lnn"]["states_seen"] == 128_000
    assert result["train_seconds"] == pytest.approx(1000 * lnn + (1000 + more) * plain)
    assert (result["recipe"], result["states"], result["starts"]) == ("course", "box", 3)


def test_the_papers_way_is_chosen_by_name(experiment):
    ledger = Ledger(LNN=0.2, PlainNetwork=0.1)
    result = experiment(ledger, paper=True, loss="l2", steps=2)
    assert (result["recipe"], result["states_seen"]) == ("paper", 64)
    assert {call[1:3] for call in ledger.calls.values()} == {("box", "l2")}
    experiment(ledger, paper=True, steps=2)
    assert {call[1:3] for call in ledger.calls.values()} == {("box", "l1")}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "l1"}, "a loss with the paper's recipe only, got 'l1'"),
        ({"paper": True, "loss": "relative"}, "unknown loss 'relative'; known are: l1, l2"),
        ({"paper": True, "states": "visited"}, "states 'box' with the paper's recipe, got 'vis"),
        ({"states": "everywhere"}, "unknown states 'everywhere'; known are: box, visited"),
    ],
)
def test_what_does_not_go_together_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        experiments.double_pendulum(**settings)


def test_a_small_experiment_goes_on_from_its_checkpoints(tmp_path, monkeypatch):
    """First from a trained Lagrangian network; then all is trained, and no digit differs."""

    def protocol(starts):
        return evaluate.Protocol(DOUBLE, 29.4, starts, seconds=1.0, substeps=2, states=50)

    def contestants():
        return {name: replace(model, width=4, depth=1) for name, model in paper_models().items()}

    paper_models = experiments.paper_models
    monkeypatch.setattr(double, "double_pendulum_protocol", protocol)
    monkeypatch.setattr(double, "paper_models", contestants)
    settings = {"steps": 2, "starts": 2, "paper": True, "checkpoint": tmp_path, "progress": False}
    begun = experiments.paper_recipe().fit(
        contestants()["lnn"], seed=0, steps=2, label="lnn", checkpoint=tmp_path, progress=False
    )
    first = experiments.double_pendulum(**settings)
    assert first["models"]["lnn"]["train_seconds"] == begun.seconds
    kept = sorted(path.parent.name for path in tmp_path.glob("*/checkpoint.npz"))
    assert kept == ["lnn", "plain", "plain_same_time"]
    again = experiments.double_pendulum(**settings)
    assert json.dumps(again) == json.dumps(first)
    learned = {"energy_unexplained", "learned_energy_drift"}
    assert learned <= first["models"]["lnn"].keys()
    assert not learned & first["models"]["plain"].keys()
    with pytest.raises(store.StoreError, match="its loss is 'l1', this run's is 'l2'"):
        experiments.double_pendulum(**settings, loss="l2")


# --- The relativistic particle -----------------------------------------------------------------

PARTICLE = systems.PaperParticle()


def test_the_five_contestants_differ_in_what_they_assume_alone():
    """One width, depth, activation and set of features; the momenta are the system's own."""
    for name, system in experiments.PARTICLES.items():
        contestants = experiments.particle_models(name)
        assert set(contestants) == {"lnn", "plain", "hnn", "delan", "hnn_canonical"}
        faces = {
            (m.width, m.depth, m.activation, m.velocity_features, m.position_scale, m.context_scale)
            for m in contestants.values()
        }
        assert len(faces) == 1
        assert contestants["hnn_canonical"].momenta_of == system
        assert contestants["hnn"].momenta_of is None
    assert {m.width for m in experiments.particle_models(width=7).values()} == {7}
    with pytest.raises(ValueError, match="unknown lagrangian 'newton'; known are: paper, relat"):
        experiments.particle_models("newton")


def test_a_polish_goes_on_from_what_was_trained():
    """The first losses are those of the recipe without it; then as many as it has steps."""
    model = replace(experiments.particle_models()["plain"], width=4, depth=1)
    recipe = experiments.particle_recipe(PARTICLE, experiments.Polish(3, 16))
    settings = {"seed": 2, "steps": 5, "label": "x", "progress": False}
    plain = replace(recipe, polish=None).fit(model, **settings)
    fit = recipe.fit(model, **settings)
    np.testing.assert_array_equal(fit.losses[:5], plain.losses)
    assert len(fit.losses) == 8
    assert recipe.states_seen(5) == 5 * 256 + 3 * 16
    # The first loss of the polish is that of the trained parameters, on its own states.
    batch = recipe.batches(jax.random.fold_in(jax.random.key(3), 0), 16)
    loss = train.acceleration_loss(model, "relative", recipe.scale)(plain.params, batch)
    assert fit.losses[5] == pytest.approx(float(loss), rel=1e-4)


class Exactly:
    """A system as a model: nothing is learned."""

    def __init__(self, system, factor=1.0):
        self.system, self.factor = system, factor

    def acceleration(self, params, q, q_dot, g):
        return self.factor * self.system.acceleration(q, q_dot, g)

    def rollout(self, params, q, q_dot, g, **steps):
        return integrate.rollout(lambda q, v: self.acceleration(params, q, v, g), q, q_dot, **steps)


def test_the_particles_protocol_finds_no_error_in_the_truth_and_a_known_one_in_a_wrong_field():
    """A force ten per cent too strong makes an energy error of ten per cent of the work done."""
    protocol = experiments.ParticleProtocol(PARTICLE, starts=20, states=2000, seconds=0.2)
    exact = protocol.figures(Exactly(PARTICLE), None)
    assert exact["acceleration_weighted_l1"] < 1e-6
    assert exact["energy_error_worst"] < 1e-3
    assert exact["energy_error_worst"] == pytest.approx(protocol.floor()["energy_error_worst"])
    strong = protocol.figures(Exactly(PARTICLE, 1.1), None)
    assert strong["acceleration_relative_l2"] == pytest.approx(0.1, rel=1e-3)
    q, v, g = PARTICLE.sample(jax.random.key(1_000_002), 20)

    @jax.jit
    @jax.vmap
    def moved(factor, q, v, g):
        frames = {"dt": 0.02, "steps": 10, "substeps": 10}
        return integrate.rollout(
            lambda q, v: factor * PARTICLE.acceleration(q, v, g), q, v, **frames
        )

    right, wrong = (np.asarray(moved(np.full(20, k), q, v, g), float) for k in (1.0, 1.1))
    speed = right[1, ..., 0]  # K = γ³ q̇² − γ + 1
    kinetic = (1 - speed**2) ** -1.5 * speed**2 - (1 - speed**2) ** -0.5 + 1
    work = 0.1 * np.asarray(g) * (wrong[0, ..., 0] - np.asarray(q))
    errors = np.abs(work).max(axis=1) / kinetic.max(axis=1)
    assert strong["energy_error_median"] == pytest.approx(np.median(errors), rel=0.02)


def test_a_model_that_leaves_the_known_velocities_has_an_infinite_error():
    protocol = experiments.ParticleProtocol(PARTICLE, starts=20, states=100, seconds=0.2)
    found = protocol.figures(Exactly(PARTICLE, -300.0), None)
    assert found["energy_error_worst"] == found["velocity_error_worst"] == np.inf


@pytest.fixture
def train_only(monkeypatch):
    """Let models of one kind be trained; what the others begin with is all they learn."""

    def choose(kind):
        fit = experiments.Recipe.fit

        def trained(recipe, model, *, seed, steps, **settings):
            if kind(model):
                return fit(recipe, model, seed=seed, steps=steps, **settings)
            return train.Fit(model.init(jax.random.key(seed)), np.zeros(steps), 0.1)

        monkeypatch.setattr(experiments.Recipe, "fit", trained)

    return choose


def test_a_small_relativistic_experiment_measures_five_models_and_a_control(
    monkeypatch, train_only
):
    train_only(lambda model: getattr(model, "momenta_of", None) is not None)
    particle_models, protocol = experiments.particle_models, experiments.ParticleProtocol
    monkeypatch.setattr(
        particle, "particle_models", lambda name: particle_models(name, width=4, depth=1)
    )
    monkeypatch.setattr(
        particle, "ParticleProtocol", lambda system, n: protocol(system, n, 100, 0.1)
    )
    result = experiments.relativistic_particle(
        seed=1, steps=20, starts=2, lagrangian="relativistic", progress=False
    )
    told = {"seed": 1, "steps": 20, "starts": 2, "lagrangian": "relativistic"}
    assert told.items() <= result.items()
    assert result["states_seen"] == 20 * 256 + 512
    assert set(result["models"]) == set(particle_models())
    assert set(result["control"]) == {"hnn", "delan"}
    for name, figures in result["models"].items():
        assert figures["acceleration_weighted_l1"] > 0
        assert ("velocity_weighted_l1" in figures) == name.startswith("hnn")
    with pytest.raises(ValueError, match="unknown lagrangian 'newton'"):
        experiments.relativistic_particle(lagrangian="newton")


# --- The wave equation -------------------------------------------------------------------------


class Exactly3:
    """A density written down, with the face of a model of three coordinates."""

    dim = 3

    def __init__(self, density):
        self.density = density

    def lagrangian(self, params, phi, phi_dot):
        return self.density(phi, phi_dot)


def string(**change):
    system = systems.WaveEquation(experiments.TRAINING_RING, **change)
    model = Exactly3(system.density)
    return fields.LagrangianGraphNetwork(model, fields.ring(experiments.TRAINING_RING))


SMALL = experiments.WaveProtocol(nodes=15, seconds=30, width=1.5, substeps=16, states=100)


@pytest.fixture(scope="module")
def true_string():
    return SMALL.figures(string(), {})


def test_the_true_density_has_the_figures_of_the_integrator(true_string):
    floor = SMALL.floor()
    assert true_string["acceleration_relative_l2"] < 1e-5
    assert true_string["field_error"] < 2e-6 and floor["field_error"] < 2e-6
    assert true_string["energy_error_max"] == pytest.approx(floor["energy_error_max"], rel=1e-3)
    assert abs(true_string["mean_shift"]) < 1e-12


def test_the_measured_speed_is_that_of_the_longest_wave(true_string):
    k = 2 * np.pi / 15
    assert true_string["wave_speed"] == pytest.approx(2 * np.sin(k / 2) / k, rel=1e-6)


def test_the_slip_of_the_public_code_shows_in_the_speed():
    """2 Δx for Δx², with ten nodes on a ring of length 1: c = √(Δx/2) = 0.22."""
    slow = string(speed=(0.1 / 2) ** 0.5)
    found = SMALL.motion_figures(*SMALL.motion(slow, {}))
    lattice = np.sinc(1 / 15)  # the longest of 15 nodes is a little slower than c
    assert found["wave_speed"] == pytest.approx(0.2236 * lattice, abs=1e-4)
    assert found["field_error"] > 0.5


def test_a_pulse_passes_through_itself_on_the_far_side():
    """After half a pass its two halves meet opposite, after a whole one at the start."""
    phi = experiments.WaveProtocol(seconds=100, width=5.0).exact()
    assert phi.shape == (101, 100) and phi.dtype == np.float64
    assert [int(phi[t].argmax()) for t in (0, 50, 100)] == [50, 0, 50]
    assert phi[50].max() == pytest.approx(1, abs=0.05)
    assert phi[25].max() == pytest.approx(0.5, abs=0.02)


def wide_string():
    """Springs to the next node but one, which make the central (φᵢ₊₂ − 2 φᵢ + φᵢ₋₂)/4."""

    def density(phi, phi_dot):
        return 0.5 * phi_dot[1] ** 2 - 0.125 * (phi[2] - phi[1]) ** 2

    return fields.LagrangianGraphNetwork(Exactly3(density), fields.ring(10, (-2, 0, 2)))


def test_a_density_keeps_the_stencil_that_it_was_learned_with():
    protocol = experiments.WaveProtocol(nodes=24, seconds=5, width=2.0)
    moved, _ = protocol.motion(wide_string(), {})
    expected = systems.WaveEquation(24, difference="central").exact(*protocol.pulse(), 5.0)[0]
    np.testing.assert_allclose(moved[-1], expected, atol=1e-4)
    found = experiments.wave_dispersion(wide_string(), {}, points=5)
    np.testing.assert_allclose(found["learned"], np.sin(found["wavenumber"]), atol=1e-9)
    found = experiments.larger_ring(wide_string(), {}, 200, 5)
    phi, rings = (
        np.asarray(waves._pulses(200)),
        [systems.WaveEquation(200, difference=name) for name in ("central", "one-sided")],
    )
    ends = [np.asarray(ring.exact(phi, 0 * phi, 5.0)[0]) for ring in rings]
    miss = np.linalg.norm(ends[0] - ends[1]) / np.linalg.norm(ends[1])
    assert found["field_error"] == pytest.approx(miss, rel=0.02)


@pytest.mark.parametrize(
    "use",
    [
        lambda model: experiments.WaveProtocol().motion(model, {}),
        lambda model: experiments.larger_ring(model, {}, 200, 5),
        lambda model: experiments.wave_dispersion(model, {}),
    ],
)
def test_a_density_that_no_ring_has_shown_its_nodes_is_put_on_none(use):
    on_a_line = fields.LagrangianGraphNetwork(string().model, fields.line(10))
    with pytest.raises(ValueError, match="learned on a ring, got one on nodes without a stencil"):
        use(on_a_line)


def test_a_motion_that_runs_away_has_infinite_errors():
    """Springs that push: every wave grows by e^{200 t}."""

    def pushing(phi, phi_dot):
        return 0.5 * phi_dot[1] ** 2 + 5e3 * (phi[2] - phi[1]) ** 2

    model = fields.LagrangianGraphNetwork(Exactly3(pushing), fields.ring(10))
    found = experiments.larger_ring(model, {}, 200, 5)
    assert found["field_error"] == np.inf and found["acceleration_relative_l2"] > 1e3
    protocol = experiments.WaveProtocol(seconds=1)
    phi, phi_dot = (np.stack([x, np.full_like(x, np.nan)]) for x in protocol.pulse())
    found = protocol.motion_figures(phi, phi_dot)
    for name in ("field_error", "field_error_continuum", "energy_error_max", "mean_shift"):
        assert found[name] == np.inf


def test_larger_rings_start_alike_in_either_precision():
    single = waves._pulses(300)
    with integrate.double_precision():
        np.testing.assert_array_equal(waves._pulses(300), single)
    assert single.dtype == np.float32


def test_a_larger_ring_is_judged_against_its_own_exact_motion():
    found = experiments.larger_ring(string(), {}, 300, 5)
    assert found["acceleration_relative_l2"] < 1e-4 and found["field_error"] < 1e-4
    slow = experiments.larger_ring(string(speed=0.5), {}, 300, 5)
    assert slow["acceleration_relative_l2"] == pytest.approx(0.75, abs=1e-3)


def test_the_dispersion_is_told_from_the_longest_wave_to_the_checkerboard():
    found = experiments.wave_dispersion(string(), {}, points=5)
    np.testing.assert_allclose(found["wavenumber"], np.pi * np.arange(1, 5) / 4)
    np.testing.assert_allclose(found["learned"], found["true"], atol=1e-12)
    assert found["true"][-1] == pytest.approx(2) and found["continuum"][-1] == pytest.approx(np.pi)


def test_a_small_experiment_with_the_wave_measures_two_densities(monkeypatch, train_only):
    train_only(lambda network: network.model.position_features == "scaled")
    protocol = experiments.WaveProtocol(nodes=15, seconds=3, states=50)
    monkeypatch.setattr(waves, "WaveProtocol", lambda: protocol)
    monkeypatch.setattr(waves, "LARGER_RINGS", ((300, 2),))
    result = experiments.wave(seed=1, steps=20, progress=False)
    assert (result["experiment"], result["seed"], result["steps"]) == ("wave", 1, 20)
    assert result["states_seen"] == 20 * 32 + 64
    assert set(result["models"]) == {"lnn", "lnn_raw"}
    for figures in result["models"].values():
        assert figures.keys() >= result["integrator_floor"].keys()
    assert set(result["larger_rings"]) == {"300"}
    assert len(result["dispersion"]["learned"]) == len(result["dispersion"]["wavenumber"])
    json.dumps(store.for_json(result), allow_nan=False)
    with pytest.raises(ValueError, match="unknown positions 'lifted'; known are: centred"):
        experiments.field_model(fields.ring(10), "lifted")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: experiments.WaveProtocol(nodes=2), "nodes >= 3, got 2"),
        (lambda: experiments.WaveProtocol(seconds=0), "seconds >= 1, got 0"),
        (lambda: experiments.WaveProtocol(width=0.0), "width > 0"),
        (lambda: experiments.NoiseProtocol(systems.WaveEquation(10), 0), "states >= 1, got 0"),
        (lambda: experiments.larger_ring(string(), {}, 250, 1), "multiple of 100 nodes, got 250"),
        (lambda: experiments.wave_dispersion(string(), {}, points=1), "points >= 2, got 1"),
    ],
)
def test_what_a_wave_cannot_be_judged_by_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- Bad numbers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: experiments.Polish(0), "steps >= 1, got 0"),
        (lambda: experiments.Polish(batch_size=0), "batch_size >= 1, got 0"),
        (lambda: experiments.Polish(rate=0.0), "rate > 0"),
        (lambda: experiments.particle_recipe(PARTICLE, 0), "steps >= 1, got 0"),
        (
            lambda: experiments.field_recipe(systems.WaveEquation(10), 2.5),
            "Polish or None, got 2.5",
        ),
        (lambda: replace(experiments.paper_recipe(), batch_size=0), "batch_size >= 1, got 0"),
        (lambda: replace(experiments.paper_recipe(), scale=-1.0), "scale > 0"),
        (lambda: experiments.paper_recipe("l3"), "unknown loss 'l3'; known are: l1, l2"),
        (lambda: experiments.ParticleProtocol(PARTICLE, starts=0), "starts >= 1, got 0"),
        (lambda: experiments.ParticleProtocol(PARTICLE, substeps=0.5), "substeps to be a whole"),
        (lambda: experiments.ParticleProtocol(PARTICLE, frame=3.0), "whole number of frames"),
        (lambda: experiments.double_pendulum_recipe("visited", 2**32), r"seed < 2\*\*32, got 429"),
        (lambda: experiments.field_model([[0, 1, 2]]), "nodes to be Neighbourhoods, got list"),
    ],
)
def test_bad_numbers_are_refused_where_they_are_given(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": 2**32}, r"seed < 2\*\*32, got 4294967296: JAX would take it modulo"),
        ({"seed": -1}, "seed >= 0, got -1"),
        ({"checkpoint": __file__}, "checkpoint to be a folder that can be written, got .*test_exp"),
    ],
)
@pytest.mark.parametrize("name", experiments.EXPERIMENTS)
def test_seeds_and_folders_are_refused_before_the_training(name, settings, message, monkeypatch):
    monkeypatch.setattr(train, "fit", lambda *a, **b: pytest.fail("it trained"))
    with pytest.raises(ValueError, match=message):
        experiments.EXPERIMENTS[name](**settings)


# --- Recorded results --------------------------------------------------------------------------


def test_recorded_results_are_what_json_held(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "SHIPPED", tmp_path)
    (tmp_path / "study.json").write_text('{"who": "θ", "error": null}', encoding="utf-8")
    assert experiments.recorded("study") == {"who": "θ", "error": None}
    with pytest.raises(ValueError, match="unknown results 'other'; known are: study"):
        experiments.recorded("other")
