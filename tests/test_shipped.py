"""What comes with the package: trained models are as good as their files say, results are whole."""

from functools import partial

import jax
import make_camera_table
import numpy as np
import pytest

from lnn_tutorial import data, experiments, fields, learning, models, store, systems
from lnn_tutorial.learning import command

pytestmark = pytest.mark.usefixtures("optimised")


@pytest.fixture(scope="module")
def judged():
    """Figures of the shipped double pendulums, measured anew under the paper's protocol."""
    protocol, figures = experiments.double_pendulum_protocol(), {}
    for name in ("lnn", "plain"):
        figures[name] = protocol.figures(*store.load_model(f"double_pendulum_{name}"))
    return figures


def test_the_double_pendulum_keeps_its_energy(judged):
    """After 100 s: 0.005 % of 29.4 J on average, and nowhere on the way more than 0.1 %."""
    assert judged["lnn"]["energy_error_last"] < 5e-5
    assert judged["lnn"]["energy_error_max"] < 1e-3
    assert judged["lnn"]["learned_energy_drift"] < 5e-5


def test_the_plain_of_the_same_training_keeps_it_worse(judged):
    assert judged["plain"]["energy_error_last"] > 5 * judged["lnn"]["energy_error_last"]
    assert judged["plain"]["energy_error_max"] < np.inf


@pytest.mark.parametrize("name", ["lnn", "plain"])
def test_the_file_tells_the_figures_that_come_out(judged, name):
    """Chaos and half the step length move an average over motions, but not by much."""
    told = store.read_header(f"double_pendulum_{name}")
    assert f"train_shipped.py double_pendulum_{name}" in told["command"]
    for figure in ("energy_error_mean", "energy_error_last"):
        assert 0.3 < judged[name][figure] / told["figures"][figure] < 3
    for figure in ("acceleration_l1_sum", "acceleration_relative_l2"):
        assert judged[name][figure] == pytest.approx(told["figures"][figure], rel=0.01)


PARTICLE = ("lnn", "hnn_canonical", "plain", "hnn", "delan")


@pytest.fixture(scope="module")
def particles():
    """Figures of the shipped particles, measured anew; the motions of one kind only."""
    figures = {}
    for rule, system in experiments.PARTICLES.items():
        protocol = experiments.ParticleProtocol(system, 40)
        for name in PARTICLE:
            judge = protocol.figures if name == "lnn" else protocol.acceleration_errors
            figures[rule, name] = judge(*store.load_model(f"particle_{rule}_{name}"))
    return figures


@pytest.mark.parametrize("name", PARTICLE)
@pytest.mark.parametrize("rule", experiments.PARTICLES)
def test_the_file_of_a_particle_tells_the_figures_that_come_out(particles, rule, name):
    told = store.read_header(f"particle_{rule}_{name}")["figures"]
    for figure in ("acceleration_l1_sum", "acceleration_weighted_l1"):
        assert particles[rule, name][figure] == pytest.approx(told[figure], rel=0.02)


@pytest.mark.parametrize("rule", experiments.PARTICLES)
def test_the_particles_that_can_be_learned_are_learned_and_the_others_are_not(particles, rule):
    """A thousandth of what zero scores, against more than half of it."""
    zero = {"paper": 0.405, "relativistic": 0.70}[rule]
    for name in PARTICLE:
        error = particles[rule, name]["acceleration_weighted_l1"]
        if name in ("hnn", "delan"):
            assert error > 0.7 * zero
        else:
            assert error < 1e-3 * zero


@pytest.mark.parametrize(("rule", "factor"), [("paper", 1.0), ("relativistic", 1.5)])
def test_the_lagrangian_network_needs_no_momenta(particles, rule, factor):
    """About as good as the Hamiltonian one that is told them; the energy within 0.1 %."""
    lnn, canonical = (particles[rule, name] for name in ("lnn", "hnn_canonical"))
    measure = "acceleration_weighted_l1"
    assert lnn[measure] < factor * canonical[measure]
    assert lnn["energy_error_median"] < 1e-3


def test_the_report_on_the_camera_model_is_right_within_a_factor_of_two():
    """About accelerations, along the motions that were held out; it never saw the truth."""
    plan = learning.plan(data.table(command.CAMERA, **command.DEMO))
    held = np.unique(plan.held_out.trajectory).astype(int) - 1
    states = make_camera_table.throws()[:2]
    q, q_dot = (x[held, ::3].reshape(-1, 2).astype(np.float32) for x in states)
    truth = jax.vmap(systems.DoublePendulum().acceleration)(q, q_dot)
    for kind in ("lnn", "plain"):
        model, params = store.load_model(f"camera_{kind}")
        found = jax.jit(jax.vmap(partial(model.acceleration, params)))(q, q_dot)
        error = np.median(np.abs(found - truth), axis=0)
        told = store.read_header(f"camera_{kind}")
        assert "train_shipped.py camera" in told["command"]
        assert all(0.5 < said / true < 2 for said, true in zip(
            told["figures"]["acceleration"]["error"], error, strict=True))  # fmt: skip


def test_the_results_of_the_particle_are_whole():
    runs = experiments.recorded("relativistic_particle")["runs"]
    for rule in experiments.PARTICLES:
        for seed in range(5):
            result = runs[f"seeds, {rule}, {seed}"]
            assert (result["seed"], result["lagrangian"]) == (seed, rule)
            assert set(result["models"]) == set(PARTICLE)
            assert all(x["acceleration_relative_l2"] < 2e-3 for x in result["control"].values())


@pytest.fixture(scope="module")
def waves():
    """Figures of the shipped densities of the wave equation, measured anew."""
    figures = {}
    for name in ("wave_lnn", "wave_lnn_raw"):
        density, params = store.load_model(name)
        model = fields.LagrangianGraphNetwork(density, fields.ring(experiments.TRAINING_RING))
        figures[name] = experiments.WaveProtocol().figures(model, params)
    return figures


def test_the_wave_goes_round_as_the_true_one_does(waves):
    """3.5 times round 100 nodes, learned on 10: field, energy and speed."""
    found = waves["wave_lnn"]
    assert found["acceleration_relative_l2"] < 2e-4
    assert found["field_error"] < 1e-4
    assert found["field_error_continuum"] < 0.006  # the lattice itself is off by 0.005
    assert found["energy_error_last"] < 1e-5 and found["energy_error_max"] < 1e-4
    assert found["wave_speed"] == pytest.approx(1, abs=1e-3)


def test_the_file_of_a_wave_tells_the_figures_that_come_out(waves):
    for name, found in waves.items():
        told = store.read_header(name)["figures"]
        assert found["acceleration_l1_sum"] == pytest.approx(told["acceleration_l1_sum"], rel=0.02)
        assert found["field_error"] == pytest.approx(told["field_error"], rel=0.1, abs=1e-6)
        assert found["wave_speed"] == pytest.approx(told["wave_speed"], abs=5e-4)


def test_a_string_whose_height_the_network_sees_wanders_off(waves):
    assert abs(waves["wave_lnn"]["mean_shift"]) < 1e-5 < abs(waves["wave_lnn_raw"]["mean_shift"])
    assert waves["wave_lnn_raw"]["field_error"] > 30 * waves["wave_lnn"]["field_error"]


def test_the_membrane_is_learned():
    density, params = store.load_model("membrane_lnn")
    nodes = fields.membrane(6, 7)
    model = fields.LagrangianGraphNetwork(density, nodes)
    protocol = experiments.NoiseProtocol(systems.MassesOnSprings(nodes.edges), states=500)
    assert protocol.figures(model, params)["acceleration_relative_l2"] < 2e-3


@pytest.mark.parametrize("name", store.shipped_models())
def test_every_shipped_model_loads_by_its_name_and_tells_what_made_it(name):
    model, _ = store.load_model(name)
    assert isinstance(model, models.Model)
    assert (store.SHIPPED / f"{name}.npz").stat().st_size < 200_000
    told = store.read_header(name)
    assert told["train_seconds"] < 1800


def test_the_results_of_the_double_pendulum_are_whole():
    """Five seeds on both kinds of states, twenty seeds without a divergence."""
    runs = experiments.recorded("double_pendulum")["runs"]
    for states in experiments.STATES:
        for seed in range(5):
            result = runs[f"seeds, {states}, {seed}"]
            assert (result["seed"], result["states"]) == (seed, states)
            assert set(result["models"]) == {"lnn", "plain", "plain_same_time"}
    alone = [runs[f"divergence, {seed}"] for seed in range(5, 20)]
    lnns = alone + [runs[f"seeds, box, {seed}"]["models"]["lnn"] for seed in range(5)]
    assert len(lnns) == 20
    assert all(run["energy_error_last"] < 1e-3 for run in lnns)
    with pytest.raises(ValueError, match="double_pendulum"):
        experiments.recorded("triple_pendulum")
