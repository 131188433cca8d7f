r"""The wave equation over seeds: the tables of its chapter.

    python -m benchmarks.wave [--jobs 2] [--only STUDY] [--json FILE]

Two studies, all of whole training runs judged by the chapter's protocol:

seeds     five seeds by the recipe of the chapter: a density that sees the shape of the string
          alone, and one that sees its height as well
polished  the first one, trained like the shipped one, five seeds

It says beforehand how many runs there are, writes each result to FILE as it comes, and skips
what FILE has already: a killed run goes on where it was. FILE is by default the table that comes
with the package. Each job computes on one thread; with two jobs two runs share the machine.
"""

from benchmarks import study
from lnn_tutorial import experiments, fields, systems

MINUTES = {"seeds": 1.5, "polished": 4}
"""Of one run, by study."""

STEPS, POLISH = 1_500, 75
LONG_STEPS = 3_000


def runs(name):
    """The runs of a study: `{name: (function, arguments)}`."""
    if name == "seeds":
        return {
            f"seeds, {positions}, {seed}": (_judged, (positions, POLISH, seed, STEPS))
            for positions in experiments.WAVES
            for seed in range(5)
        }
    long = experiments.LONG_FIELD_POLISH
    return {
        f"polished, {seed}": (_judged, ("centred", long, seed, LONG_STEPS)) for seed in range(5)
    }


def _judged(positions, polish, seed, steps):
    n = experiments.TRAINING_RING
    model = experiments.field_model(fields.ring(n), positions)
    recipe = experiments.field_recipe(systems.WaveEquation(n), polish)
    return study.judged(model, recipe, experiments.WaveProtocol(), seed=seed, steps=steps)


if __name__ == "__main__":
    study.main(__doc__, "wave", runs, MINUTES)
