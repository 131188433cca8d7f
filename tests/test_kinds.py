"""Five kinds of network on many systems: the systems, how models are judged, and the ticks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import evaluate, experiments, integrate, models, systems
from lnn_tutorial.experiments import matrix

CONTESTS = experiments.contests()
SMALL = {"starts": 3, "frames": 4, "substeps": 40}


def states(contest, n=20):
    return contest.starts(jax.random.key(3), n)


def test_there_are_enough_systems_and_contestants():
    assert len(CONTESTS) >= 11
    assert all(contest.kinds[:6] == experiments.KINDS for contest in CONTESTS.values())
    assert CONTESTS["damped pendulum"].kinds[6:] == ("delan_friction", "lnn_friction")


@pytest.mark.parametrize("name", [name for name, x in CONTESTS.items() if x.conserved])
def test_what_is_called_conserved_does_not_change_along_a_motion(name):
    """dC/dt = ∂C/∂q · q̇ + ∂C/∂q̇ · q̈ = 0."""
    contest = CONTESTS[name]
    with integrate.double_precision():
        q, q_dot = (jnp.asarray(np.asarray(x, float)) for x in states(contest))
        for conserved in contest.conserved.values():

            def change(q, q_dot, conserved=conserved):
                q_ddot = contest.system.acceleration(q, q_dot)
                return jax.jvp(conserved, (q, q_dot), (q_dot, q_ddot))[1]

            assert np.abs(jax.vmap(change)(q, q_dot)).max() < 1e-9


@pytest.mark.parametrize("name", CONTESTS)
def test_the_motions_are_those_of_the_system(name):
    """Along the frames the energy stays or falls, and a quarter of them are the first quarter."""
    contest = CONTESTS[name]
    all_of_them, some = contest.motions(0, 0.01), contest.motions(0, 0.005)
    assert np.array_equal(all_of_them.q[: len(some)], some.q)
    assert not np.array_equal(contest.motions(1, 0.005).q, some.q)
    energy = jax.vmap(contest.system.energy)(*matrix.state_of(some)).reshape(8, -1)
    change = np.diff(np.asarray(energy, float), axis=1)
    size = np.asarray(jax.vmap(contest.kinetic)(*matrix.state_of(some))).mean()
    if name in ("damped pendulum", "bouncing ball"):
        assert change.max() < 1e-4 * size
        assert change.min() < -1e-3 * size
    else:
        assert np.abs(change).max() < 1e-3 * size


def test_the_bouncing_ball_is_followed_through_its_bounces():
    q, q_dot = states(CONTESTS["bouncing ball"])
    _, height, _ = CONTESTS["bouncing ball"].follow(q, q_dot, dt=0.1, steps=30, substeps=1)
    assert height.min() >= 0


def test_a_fast_particle_does_not_get_faster_than_light():
    contest = CONTESTS["fast particle"]
    faster = contest.faster(contest.samples(contest.motions(0, 0.01)))
    assert 0.9 < np.abs(faster.q_dot).max() < 1
    assert np.isfinite(faster.q_ddot).all()


def test_a_natural_time_is_a_lyapunov_time_where_motions_are_chaotic():
    contest = CONTESTS["double pendulum"]
    q, q_dot = states(contest, 40)
    steps = {"dt": 0.1, "steps": 150, "substeps": 20}
    rates = evaluate.lyapunov_exponent(contest.system.acceleration, q, q_dot, **steps)
    assert 0.5 < np.median(rates) * contest.time < 2


def exact(contest):
    """A model that knows the truth, of one parameter that it does not need."""

    class Exact(models.PlainNetwork):
        def acceleration(self, params, q, q_dot, context=None, torque=None):
            beside = () if context is None else (context,)
            return contest.system.acceleration(q, q_dot, *beside) + 0.0 * params["none"]

        def init(self, key):
            return {"none": jnp.zeros(1)}

    return Exact(dim=contest.system.dim, context=contest.system.context)


@pytest.mark.parametrize("name", ["Kepler", "fast particle", "damped pendulum"])
def test_the_truth_is_judged_faultless(name):
    contest = CONTESTS[name]
    samples = contest.samples(contest.motions(0, 0.01))
    protocol = experiments.KindProtocol(contest, samples, **SMALL)
    model = exact(contest)
    found = protocol.figures(model, jax.vmap(model.init)(jax.random.split(jax.random.key(0), 2)))
    assert all(len(x) == 2 for x in found.values())
    floor = protocol.floor()
    assert floor["motion"] < 1e-3
    for figure in ("acceleration", "outside"):
        assert found.pop(figure).max() < 1e-6
    ratio = found.pop("drift_ratio")
    if name != "damped pendulum":  # the energy of which falls, and not for the steps' sake
        assert found.pop("drift").max() < 1e-3
        assert ratio.min() > 8
        assert all(x.max() < 5e-3 for x in found.values())
    assert {x: found[x][0] for x in floor} == pytest.approx(floor)


def test_motions_that_run_away_are_infinitely_wrong():
    contest = CONTESTS["Kepler"]
    samples = contest.samples(contest.motions(0, 0.01))

    class Away(models.PlainNetwork):
        def acceleration(self, params, q, q_dot, context=None, torque=None):
            return 1e3 * q * (1 + q @ q)

    model = Away(dim=2)
    found = experiments.KindProtocol(contest, samples, **SMALL).figures(
        model, jax.vmap(model.init)(jax.random.split(jax.random.key(0), 2))
    )
    for figure in ("motion", "energy", "energy_worst", "angular momentum", "drift"):
        assert np.isinf(found[figure]).all()
    assert not found["drift_ratio"].any()


def test_angles_are_compared_around_the_circle():
    contest = CONTESTS["pendulum"]
    protocol = experiments.KindProtocol(contest, contest.samples(contest.motions(0, 0.01)), **SMALL)
    q, q_dot = (x[None] for x in protocol._truth)
    assert protocol._away(q + 2 * np.pi, q_dot).max() < 1e-12
    assert protocol._away(q + 1, q_dot) == pytest.approx(0.5**0.5)


@pytest.mark.parametrize("signal", experiments.KIND_SIGNALS)
def test_members_learn_side_by_side(signal):
    contest = CONTESTS["pendulum"]
    motions = contest.motions(0, 0.05)
    model = contest.models(contest.samples(motions), width=8, depth=1)["lnn"]
    recipe = experiments.KindRecipe(contest, motions, signal)
    fit = recipe.fit(model, seeds=(0, 1), steps=200)
    assert fit.losses.shape == (200, 2)
    last = {"accelerations": 200, "motions": 180}[signal]
    assert (fit.losses[last - 20 : last].mean(axis=0) < 0.5 * fit.losses[:5].mean(axis=0)).all()
    alone = recipe.fit(model, seeds=(1,), steps=200)
    for both, one in zip(jax.tree.leaves(fit.params), jax.tree.leaves(alone.params), strict=True):
        np.testing.assert_allclose(both[1], one[0], rtol=0.05, atol=0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"signal": "positions"}, "accelerations"), ({"peak": 0.0}, "peak"), ({"peak": None}, "peak")],
)
def test_a_recipe_that_cannot_be_is_refused(change, message):
    with pytest.raises((TypeError, ValueError), match=message):
        experiments.KindRecipe(CONTESTS["pendulum"], None, **change)


@pytest.mark.parametrize("change", [{"starts": 0}, {"frames": 1}, {"substeps": 0}])
def test_a_protocol_that_cannot_be_is_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        experiments.KindProtocol(CONTESTS["pendulum"], None, **change)


def test_scales_come_from_the_samples():
    contest = CONTESTS["spring pendulum"]
    samples = contest.samples(contest.motions(0, 0.05))
    plain = contest.models(samples)["plain"]
    rms = np.sqrt(np.mean(np.asarray(samples.q_ddot) ** 2, axis=0))
    assert plain.acceleration_scale == pytest.approx(rms, rel=5e-3)
    canonical = contest.models(samples)["hnn_canonical"]
    assert canonical.momenta_of == systems.SpringPendulum()


def cell(**figures):
    return {"states": {name: [x] * 5 for name, x in figures.items()}}


def table(**figures):
    names = [f"cells, {x}, {kind}" for x in experiments.SMOOTH for kind in experiments.KINDS]
    return {"runs": {name: cell(**figures) for name in names}}


def test_a_tick_needs_every_system():
    tick = experiments.TICKS[1]
    recorded = table(acceleration=0.01)
    assert tick.failed(recorded, "lnn") == ()
    recorded["runs"]["cells, Kepler, lnn"] = cell(acceleration=0.06)
    assert tick.failed(recorded, "lnn") == ("Kepler",)
    assert tick.failed(recorded, "plain") == ()


def test_an_energy_is_conserved_to_rounding_or_to_the_order_of_the_method():
    tick = experiments.TICKS[2]
    assert tick.passed(cell(drift=1e-10, drift_ratio=None)["states"])
    assert tick.passed(cell(drift=1e-4, drift_ratio=16.0)["states"])
    assert not tick.passed(cell(drift=1e-4, drift_ratio=1.0)["states"])
    assert not tick.passed(cell(drift=3.0, drift_ratio=16.0)["states"])
    assert not tick.passed(cell(drift=1e-4, drift_ratio=3e5)["states"])
    assert not tick.passed(cell(drift=1e-4, drift_ratio=None)["states"])
    assert not tick.passed(cell(drift=None, drift_ratio=None)["states"])
    assert not tick.passed({"lost": 5})


def test_the_median_member_decides_and_lost_ones_count():
    tick = experiments.TICKS[1]
    assert tick.passed({"acceleration": [0.01, 0.01, 0.01, None, None]})
    assert not tick.passed({"acceleration": [0.01, 0.01, None, None, None]})


def test_a_tick_of_what_is_not_there_is_refused():
    with pytest.raises(ValueError, match="hnn_canonical"):
        experiments.TICKS[0].failed(table(), "cnn")
    with pytest.raises(ValueError, match="states"):
        experiments.TICKS[0].failed(table(), "lnn", variant="stats")
    with pytest.raises(ValueError, match="systems"):
        experiments.Tick("none", "motion", 0.1, ())


def test_the_floor_is_that_of_the_steps():
    """With twice the substeps a method of fourth order is at least eight times as exact."""
    contest = CONTESTS["Kepler"]
    samples = contest.samples(contest.motions(0, 0.01))
    coarse, fine = (
        experiments.KindProtocol(contest, samples, starts=3, frames=4, substeps=n).floor()
        for n in (5, 10)
    )
    assert coarse["motion"] > 8 * fine["motion"] > 0


@pytest.mark.parametrize(("seed", "share"), [(-1, 0.1), (0, 0.0), (0, 3.0)])
def test_motions_that_cannot_be_are_refused(seed, share):
    with pytest.raises(ValueError, match=r"seed|share"):
        CONTESTS["pendulum"].motions(seed, share)


def test_nobody_trains_on_the_motions_that_judge():
    with pytest.raises(ValueError, match="another seed"):
        experiments.five_kinds(seed=1_000_001)


def test_the_paper_ticks_all_for_the_lagrangian_network_alone():
    assert [name for name, row in experiments.PAPER_TICKS.items() if all(row)] == ["lnn"]
    assert {len(row) for row in experiments.PAPER_TICKS.values()} == {len(experiments.TICKS)}


def test_followed_for_long_refuses_another_system():
    with pytest.raises(ValueError, match="damped pendulum"):
        experiments.followed_for_long("Kepler")
