r"""Learning from motion over seeds.

    python -m benchmarks.motion [--jobs 2] [--only STUDY] [--json FILE]

Three studies, all of whole training runs judged by `experiments.MotionProtocol`:

seeds    five seeds of a Lagrangian network and of two Neural ODEs, on equal motions, with as many
         steps and (`…_same_time`) with about as much time
julia    the three on forty motions of one second, followed to t = 30 s, with a quarter of the steps
diverge  twenty seeds of the Lagrangian network with a tenth of the steps

It says beforehand how many runs there are, writes each result to FILE as it comes, and skips
what FILE has already: a killed run goes on where it was. FILE is by default the table that comes
with the package. Each job computes on one thread; with two jobs two runs share the machine.
"""

from benchmarks import study
from lnn_tutorial import experiments

MINUTES = {"seeds": 1.6, "julia": 0.7, "diverge": 0.5}
"""Of one run, by study."""

STEPS = 39_500
SAME_TIME = 2.8
"""With so many times the steps a Neural ODE takes about as long as the Lagrangian network."""


def runs(name):
    """The runs of a study: `{name: (function, arguments)}`."""
    if name == "diverge":
        return {
            f"diverge, lnn, {s}": (_judged, ("lnn", "course", s, STEPS // 10)) for s in range(20)
        }
    setting, steps = ("course", STEPS) if name == "seeds" else ("julia", STEPS // 4)
    kinds = {"lnn": 1.0, "plain": 1.0, "ode": 1.0}
    if name == "seeds":
        kinds |= {"plain_same_time": SAME_TIME, "ode_same_time": SAME_TIME}
    return {
        f"{name}, {kind}, {seed}": (_judged, (kind, setting, seed, round(times * steps)))
        for kind, times in kinds.items()
        for seed in range(5)
    }


def _judged(kind, setting, seed, steps):
    model = experiments.motion_models()[kind.removesuffix("_same_time")]
    recipe = experiments.motion_recipe(setting, seed)
    protocol = experiments.MotionProtocol(setting, seed=seed)
    return study.judged(model, recipe, protocol, seed=seed, steps=steps)


if __name__ == "__main__":
    study.main(__doc__, "motion", runs, MINUTES)
