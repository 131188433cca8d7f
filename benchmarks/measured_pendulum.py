r"""A real double pendulum over seeds: how many pieces, frames, how much noise, other energies.

    python -m benchmarks.measured_pendulum [--jobs 2] [--only STUDY] [--json FILE]

The contestants are those of `experiments.measured_models`, the data are `data.measured`'s; each run
is judged by `experiments.MeasuredProtocol`.

pieces    1, 2, 4, 8 and all 22 training pieces; three seeds of each network, and the two formulas
friction  all pieces, a Lagrangian network with viscous friction alone, or with none; three seeds
rates     all pieces at 50 and 30 frames a second, for 100; one seed
noise     all pieces with normal noise of 0.001 and 0.01 rad added to the angles; one seed
energies  wide swings to train on and small ones to judge by, and the other way round; one seed

It says beforehand how many runs there are, writes each result to FILE as it comes, and skips
what FILE has already: a killed run goes on where it was. FILE is by default the table that comes
with the package. Each job computes on one thread; with two jobs two runs share the machine.
"""

from benchmarks import study
from lnn_tutorial import experiments

MINUTES = {"pieces": 0.8, "friction": 0.9, "rates": 0.8, "noise": 0.8, "energies": 0.8}
"""Of one run, by study."""

STEPS = 8000
NETWORKS, FORMULAS = ("lnn", "delan", "plain"), ("physicists", "physicists, more")

WIDE, QUIET = tuple(range(9)), tuple(range(17, 26))
"""Pieces of high energy, and of low."""

ENERGIES = {"wide, then quiet": (WIDE, QUIET), "quiet, then wide": (QUIET, WIDE)}


def runs(name):
    """The runs of a study: `{run's name: (function, arguments)}`."""
    many = [(model, seed) for model in NETWORKS for seed in range(3)]
    some = [(model, 0) for model in (*NETWORKS, *FORMULAS)]
    if name == "pieces":
        many += [(model, 0) for model in FORMULAS]
        cases = {f"{n} pieces": {"pieces": n} for n in (1, 2, 4, 8, 22)}
        return _named(name, many, cases)
    if name == "friction":
        fewer = [(model, seed) for model in ("lnn, viscous", "lnn, none") for seed in range(3)]
        return _named(name, fewer, {"22 pieces": {}})
    if name == "rates":
        return _named(name, some, {f"{rate} a second": {"rate": rate} for rate in (50, 30)})
    if name == "noise":
        return _named(name, some, {f"{noise:g} rad": {"noise": noise} for noise in (1e-3, 1e-2)})
    return _named(name, some, {case: {"energies": case} for case in ENERGIES})


def _named(study, pairs, cases):
    return {
        f"{study}, {case}, {model}, {seed}": (_judged, (model, seed, settings))
        for case, settings in cases.items()
        for model, seed in pairs
    }


def _judged(name, seed, settings):
    chosen, judged = experiments.training_pieces(settings.get("pieces", 22)), None
    if "energies" in settings:
        chosen, judged = ENERGIES[settings["energies"]]
    noise = settings.get("noise", 0.0)
    frames = {"rate": settings.get("rate", 100), "noise": noise, "seed": seed}
    motions = experiments.measured_frames(chosen, **frames)
    recipe = experiments.MeasuredRecipe(motions, (experiments.NOISE**2 + noise**2) ** 0.5)
    protocol = experiments.MeasuredProtocol(judged)
    return study.judged(
        experiments.measured_models()[name], recipe, protocol, seed=seed, steps=STEPS
    )


if __name__ == "__main__":
    study.main(__doc__, "measured_pendulum", runs, MINUTES)
