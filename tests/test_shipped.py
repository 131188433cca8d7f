"""What comes with the package: trained models are as good as their files say, results are whole."""

import numpy as np
import pytest

from lnn_tutorial import experiments, models, store

pytestmark = pytest.mark.usefixtures("optimised")


@pytest.fixture(scope="module")
def judged():
    """Figures of the shipped double pendulums, measured anew under the paper's protocol."""
    protocol, figures = experiments.double_pendulum_protocol(), {}
    for name in ("lnn", "black_box"):
        figures[name] = protocol.figures(*store.load_model(f"double_pendulum_{name}"))
    return figures


def test_the_double_pendulum_keeps_its_energy(judged):
    """After 100 s: 0.005 % of 29.4 J on average, and nowhere on the way more than 0.1 %."""
    assert judged["lnn"]["energy_error_last"] < 5e-5
    assert judged["lnn"]["energy_error_max"] < 1e-3
    assert judged["lnn"]["learned_energy_drift"] < 5e-5


def test_the_black_box_of_the_same_training_keeps_it_worse(judged):
    assert judged["black_box"]["energy_error_last"] > 5 * judged["lnn"]["energy_error_last"]
    assert judged["black_box"]["energy_error_max"] < np.inf


@pytest.mark.parametrize("name", ["lnn", "black_box"])
def test_the_file_tells_the_figures_that_come_out(judged, name):
    """Chaos and half the step length move an average over motions, but not by much."""
    told = store.read_header(f"double_pendulum_{name}")
    assert f"train_shipped.py double_pendulum_{name}" in told["command"]
    for figure in ("energy_error_mean", "energy_error_last"):
        assert 0.3 < judged[name][figure] / told["figures"][figure] < 3
    for figure in ("acceleration_l1_sum", "acceleration_relative_l2"):
        assert judged[name][figure] == pytest.approx(told["figures"][figure], rel=0.01)


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
            assert set(result["models"]) == {"lnn", "black_box", "black_box_same_time"}
    alone = [runs[f"divergence, {seed}"] for seed in range(5, 20)]
    lnns = alone + [runs[f"seeds, box, {seed}"]["models"]["lnn"] for seed in range(5)]
    assert len(lnns) == 20
    assert all(run["energy_error_last"] < 1e-3 for run in lnns)
    with pytest.raises(ValueError, match="double_pendulum"):
        experiments.recorded("triple_pendulum")
