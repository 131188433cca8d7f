r"""Learning from positions over seeds: from exact accelerations down to noise and gaps.

    python -m benchmarks.signals [--jobs 2] [--only STUDY] [--json FILE]

Each study is a signal, see `experiments.measured_positions`: double pendulums at fifty frames a
second, exactly (`box`, `exact`), with noise, at irregular times, with outliers and gaps. From each
a Lagrangian network learns by all of the `experiments.WAYS` that are tried on it, from one seed to
five. All have as many steps, but where a step costs a multiple; `train_seconds` tells. They are
judged by `experiments.SignalProtocol`.

grid     noise against frames a second: polynomials and rounds, one seed of each

It says beforehand how many runs there are, writes each result to FILE as it comes, and skips
what FILE has already: a killed run goes on where it was. FILE is by default the table that comes
with the package. Each job computes on one thread; with two jobs two runs share the machine.
"""

from benchmarks import study
from lnn_tutorial import experiments

MINUTES = dict.fromkeys(experiments.SIGNALS, 0.8) | {"box": 1.2, "grid": 0.6}
"""Of one run, by study."""

NOISES, RATES = (0.0, 1e-3, 1e-2), (10, 25)
"""Of the grid: σ in radians, and frames a second other than those of the ladder."""


def seeds_of(name, way):
    """How many seeds: few where runs are dear, or where a signal is a variation of another one."""
    variation = name in ("irregular", "spoiled")
    if way == "rounds":
        return 3 if variation else 5
    return 1 if variation or way == "windows" else 3


def steps_of(name, way):
    """Steps of training: what costs eight times as much has an eighth of them."""
    steps = 36_000 if name == "box" else 16_000
    return steps // 8 if way == "discrete 4" else steps


def runs(name):
    """The runs of a study: `{run's name: (function, arguments)}`."""
    if name == "grid":
        return {
            f"grid, {way}, {noise:g}, {rate}": (_judged, ((noise, rate), way, 0))
            for way in ("polynomials", "rounds")
            for noise in NOISES
            for rate in RATES
        }
    ways = [way for way, signals in experiments.WAYS.items() if name in signals]
    return {
        f"{name}, {way}, {seed}": (_judged, (name, way, seed))
        for way in ways
        for seed in range(seeds_of(name, way))
    }


def _judged(name, way, seed):
    if isinstance(name, str):
        measured, noise = experiments.measured_positions(name, seed), experiments.SIGNALS[name]
    else:
        noise, rate = name
        measured = experiments.measured_positions("exact", seed, noise=noise, rate=rate)
    model = experiments.double_pendulum_models()["lnn"]
    recipe = experiments.SignalRecipe(measured, way, exact=not noise)
    orders = {"discrete": 2, "discrete 4": 4}
    protocol = experiments.SignalProtocol(orders.get(way) if name == "box" else None)
    return study.judged(model, recipe, protocol, seed=seed, steps=steps_of(name, way))


if __name__ == "__main__":
    study.main(__doc__, "signals", runs, MINUTES)
