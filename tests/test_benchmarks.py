"""The benchmarks' tables: what is there is kept, what is missing is done."""

import json
import math
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import (
    activations,
    double_pendulum,
    five_kinds,
    initialisation,
    measured_pendulum,
    motion,
    reading,
    relativistic_particle,
    robot_arm,
    sensitivities,
    signals,
    study,
    wave,
    wave_scaling,
)
from lnn_tutorial import experiments, models, networks, train
from lnn_tutorial.initialisation import kl, search


def roots(name):
    return {f"{name}, {x}": (math.sqrt, (x,)) for x in (4.0, 9.0)}


def run(monkeypatch, file, *arguments):
    monkeypatch.setattr(sys, "argv", ["nothing", "--json", str(file), *arguments])
    study.main("Square roots.", "nothing", roots, {"roots": 0.5})


def test_a_killed_study_goes_on_where_it_was(monkeypatch, tmp_path, capsys):
    file = tmp_path / "roots.json"
    file.write_text(json.dumps({"runs": {"roots, 4.0": "kept", "older": 1}}))
    run(monkeypatch, file, "--jobs", "1")
    found = json.loads(file.read_text())
    assert found["runs"] == {"older": 1, "roots, 4.0": "kept", "roots, 9.0": 3.0}
    assert found["made with"]["command"] == "python -m benchmarks.nothing"
    assert "2 runs, 1 to do" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--jobs", "0"], "--jobs of at least 1, got 0"),
        (["--only", "cubes"], "roots"),
        (["--json", __file__], "holds no table of runs"),
        (["--json", "."], "expected --json to be a file, got the folder ."),
        (["--json", __file__ + "/roots.json"], "to be a folder that can be written"),
    ],
)
def test_bad_arguments_are_refused(monkeypatch, tmp_path, capsys, arguments, message):
    with pytest.raises(SystemExit):
        run(monkeypatch, tmp_path / "roots.json", *arguments)
    assert message in capsys.readouterr().err


def test_the_median_lies_in_its_interval_95_times_of_100():
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(1000):
        low, high = initialisation.spread(rng.standard_cauchy(400))["median_interval"]
        inside += low <= 0 <= high
    assert 930 <= inside <= 970


@pytest.mark.parametrize(
    "benchmark",
    [
        initialisation,
        activations,
        double_pendulum,
        relativistic_particle,
        wave,
        motion,
        robot_arm,
        signals,
        measured_pendulum,
        reading,
    ],
)
def test_the_committed_table_holds_every_run_and_no_other(benchmark):
    wanted = {run for each in benchmark.MINUTES for run in benchmark.runs(each)}
    assert set(experiments.recorded(benchmark.__name__.split(".")[-1])["runs"]) == wanted


def test_networks_are_level_with_the_formula_on_swings_that_they_know():
    """And a plain network is not, on a swing-up that nothing was trained on."""
    runs = experiments.recorded("robot_arm")["runs"]

    def error(model, recording):
        each = [
            runs[f"torques, commanded, {model}, {seed}"][recording]["rmse"] for seed in range(3)
        ]
        return np.median(each)

    formula = runs["torques, commanded, rigid, 0"]
    for model in ("lnn", "delan", "plain"):
        assert error(model, "like") < 1.02 * formula["like"]["rmse"]
    assert error("delan", "unseen") < 1.1 * formula["unseen"]["rmse"]
    assert error("plain", "unseen") > 5 * formula["unseen"]["rmse"]


def test_a_recorded_objective_comes_out_again():
    """The four rules with 50 units, judged anew on the draws of the recorded study."""
    found = initialisation.minima(kl, search, 1, 50, ())
    recorded = experiments.recorded("initialisation")["runs"]["kl, 1, 50"]["rules"]
    for rule in networks.INITIALISATIONS:
        np.testing.assert_allclose(
            found["rules"][rule]["log10_kl"]["quartiles"],
            recorded[rule]["log10_kl"]["quartiles"],
            atol=0.05,
        )


@pytest.mark.parametrize("name", wave_scaling.CONTESTANTS)
def test_one_acceleration_of_a_field_is_measured(name):
    found = wave_scaling.measure(name, 20, 2)
    assert found["seconds"] > 0 and found["compile_seconds"] > 0
    assert found["relative_l2"] < 1e-3


def test_the_growth_is_the_exponent_of_the_large_sizes():
    rows = [{"n": n, "cubic": {"seconds": 1e-9 * n**3}} for n in (1000, 2000, 5000)]
    rows += [{"n": 100, "cubic": {"seconds": 7.0}}]
    assert wave_scaling.growth(rows, "cubic") == pytest.approx(3)
    assert wave_scaling.growth(rows[:2], "cubic") is None


def test_the_recorded_scaling_is_whole_and_linear():
    found = experiments.recorded("wave_scaling")
    rows = {row["n"]: row for row in found["rows"]}
    assert {100, 1000, 1_000_000} <= set(rows)
    for name in ("banded", "cg"):
        assert found["growth"][name] < 1.1
        assert rows[1_000_000][name]["peak_mb"] < 4096
    assert rows[1000]["paper"]["seconds"] > 100 * rows[1000]["banded"]["seconds"]


def test_finite_differences_are_of_parameters_that_were_drawn():
    params = [{"weight": jnp.arange(3.0), "bias": jnp.array([3.0])}]

    def loss(params, batch):
        return batch * (params[0]["weight"] ** 2).sum() + batch * params[0]["bias"][0] ** 2

    found = sensitivities.differences(loss, params, 5.0, sample=4)()
    np.testing.assert_allclose(sorted(found), [0, 10, 20, 30], atol=1e-2)


def test_central_differences_are_of_fourth_order():
    assert sensitivities.central(lambda x: math.exp(20 * x)) == pytest.approx(20, rel=1e-7)


def test_calls_take_turns_and_a_long_one_is_made_twice():
    order = []
    calls = {name: lambda name=name: order.append(name) for name in "ab"}
    seconds = sensitivities.in_turns(calls, 3, most=0.0)
    assert "".join(order) == "ab" + "ab" * 2
    assert {name: len(taken) for name, taken in seconds.items()} == {"a": 2, "b": 2}


def test_the_memory_of_a_gradient_is_measured(monkeypatch):
    monkeypatch.setattr(sensitivities, "SUBSTEPS", 1)
    (found,) = sensitivities.memory(2, "recompute", 1)
    assert found["megabytes"] > 0


def test_one_right_hand_side_is_measured():
    (found,) = sensitivities.slopes(4, 1, 2, 2, evaluations=3)
    assert found["lnn_microseconds"] > 0 and found["plain_microseconds"] > 0


def test_the_recorded_gradients_are_whole_exact_and_cheap():
    found = experiments.recorded("sensitivities")
    cost = {(row["width"], row["way"]): row for row in found["gradients"]}
    assert set(cost) == {
        (width, way) for width in sensitivities.WIDTHS for way in sensitivities.WAYS
    }
    ratio = {row["width"]: row["ratio"] for row in found["ratios"]}
    assert ratio[96] >= 1000
    each = [cost[width, "ours"]["microseconds_per_parameter"] for width in sensitivities.WIDTHS]
    assert each == sorted(each, reverse=True)
    back = [way for way in sensitivities.WAYS if way != "finite_differences"]
    exact = {row["way"]: row for row in found["exactness"]}
    assert list(exact) == back
    for way in ("ours", "recompute"):
        assert exact[way]["against_own"] < 1e-8
    memory = {(row["way"], row["seconds"]): row["megabytes"] for row in found["memory"]}
    assert set(memory) == {(way, seconds) for way in back for seconds in sensitivities.HORIZONS}
    assert memory["ours", 16] > 10 * memory["ours", 1]
    assert memory["recompute", 16] < 2 * memory["recompute", 1]
    assert [row["network"] for row in found["slopes"]] == ["2 × 16", "3 × 64", "2 × 128"]


def test_one_run_of_a_study_can_be_asked_for(monkeypatch, tmp_path):
    file = tmp_path / "roots.json"
    run(monkeypatch, file, "--jobs", "1", "--only", "9.0")
    assert json.loads(file.read_text())["runs"] == {"roots, 9.0": 3.0}


def test_every_contestant_meets_every_system():
    """At least eleven systems and six kinds, and what a study is asked for exists."""
    cells = five_kinds.runs("cells")
    contests = experiments.contests()
    assert len(cells) >= 11 * 6
    assert {f"cells, {x}, lnn_friction" for x, y in contests.items() if y.friction} <= set(cells)
    for study_name in five_kinds.MINUTES:
        assert all(callable(function) for function, _ in five_kinds.runs(study_name).values())
    assert all(f"cells, {x}, {kind}" in cells for x, kind in five_kinds.AGAIN)


class Losing:
    """A recipe that loses the members whose seed is odd, and with them all that are beside."""

    def fit(self, model, *, seeds, steps):
        if any(seed % 2 for seed in seeds):
            raise train.DivergedError("lost", 0, None, None)
        params = jnp.stack([jnp.full(3, float(seed)) for seed in seeds])
        return train.Fit(params, np.zeros((steps, len(seeds))), 1.0)


def test_a_member_that_diverges_is_counted_and_infinitely_wrong():
    params, lost, seconds = five_kinds._members(Losing(), None, range(5), 10)
    assert (params[:, 0].tolist(), lost, seconds) == ([0.0, 2.0, 4.0], 2, 3.0)

    class Judge:
        def figures(self, model, params):
            return {"motion": params[:, 0]}

        def floor(self):
            return {"motion": 0.0}

    found = five_kinds._figures(Judge(), None, params, lost)
    assert found == {"lost": 2, "motion": [0.0, 2.0, 4.0, math.inf, math.inf]}
    assert five_kinds._members(Losing(), None, (1, 3), 10)[:2] == (None, 2)
    nothing = five_kinds._figures(Judge(), None, None, 2)
    assert nothing["lost"] == 2 and nothing["acceleration"] == nothing["motion"] == [math.inf] * 2


def test_the_cost_of_an_acceleration_and_a_step_is_measured():
    """On chains of any length; memory grows with the number of pendulums."""
    assert all(five_kinds._chain(d).dim == d for d in five_kinds.CHAINS)
    found = {}
    for d in (2, 8):
        model = models.LNN(dim=d, width=4, depth=1)
        found[d] = five_kinds._cost_of(model, five_kinds._labelled(five_kinds._chain(d), 64))
        assert all(x["us_per_state"] > 0 for x in found[d].values())
    for program in ("acceleration", "step"):
        assert found[8][program]["megabytes"] > found[2][program]["megabytes"] > 0
