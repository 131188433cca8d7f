r"""The relativistic particle over seeds: the tables of its chapter.

    python -m benchmarks.relativistic_particle [--jobs 2] [--only STUDY] [--json FILE]

Six studies, all of training runs judged by the chapter's protocol:

seeds     five seeds for both Lagrangians: all five models by the recipe of the chapter, and the
          two that fail on the harmonic oscillator
polished  the Lagrangian network and the canonical Hamiltonian one, trained like the shipped ones,
          five seeds
plateau   the Lagrangian network with three losses, by the chapter's features and by plain ones,
          three seeds of 3000 steps: which of them leave the plateau q̈ = 0?
onward    the chapter's experiment: some steps with the absolute error, then 2000 with each of the
          three losses; one seed, by how many steps there were before
features  the Lagrangian network for both Lagrangians by three features of the velocity, the square
          of each as its offset, three seeds: what does it have to be told?
tuning    peaks of the learning rate, the same grid for all five models, one seed: how the recipe
          was chosen

It says beforehand how many runs there are, writes each result to FILE as it comes, and skips
what FILE has already: a killed run goes on where it was. FILE is by default the table that comes
with the package. Each job computes on one thread; with two jobs two runs share the machine.
"""

from dataclasses import replace

import jax

from benchmarks import study
from lnn_tutorial import experiments, models, train

MINUTES = {"seeds": 4, "polished": 5, "plateau": 0.5, "onward": 1, "features": 1, "tuning": 1}
"""Of one run, by study."""

STEPS, SHORT, POLISH = 6_000, 3_000, 300

POLISHED = (("paper", "lnn"), ("paper", "hnn_canonical"), ("relativistic", "lnn"))

PLAIN = {"velocity_features": "scaled", "kinetic_offset": 1.0}
FEATURES = {"rapidity": {}, "plain": PLAIN, "plain, no offset": PLAIN | {"kinetic_offset": 0.0}}
"""What is changed in the Lagrangian network for the study of the plateau."""

LOSSES = ("l1", "l2", "relative")
BEFORE = (500, 800, 1000)
"""Steps on the plateau before the three losses go on; the chapter has 800."""

PEAKS = (0.005, 0.01, 0.02)


def runs(name):
    """The runs of a study: `{name: (function, arguments)}`."""
    if name == "seeds":
        return {
            f"seeds, {lagrangian}, {seed}": (_experiment, (lagrangian, seed))
            for lagrangian in experiments.PARTICLES
            for seed in range(5)
        }
    if name == "polished":
        return {
            f"polished, {lagrangian}, {name}, {seed}": (_polished, (lagrangian, name, seed))
            for lagrangian, name in POLISHED
            for seed in range(5)
        }
    if name == "plateau":
        return {
            f"plateau, {features}, {loss}, {seed}": (_short, (features, loss, seed))
            for features in FEATURES
            for loss in LOSSES
            for seed in range(3)
        }
    if name == "onward":
        return {f"onward, {before}": (_onward, (before,)) for before in BEFORE}
    if name == "features":
        return {
            f"features, {lagrangian}, {features}, {seed}": (_featured, (lagrangian, features, seed))
            for lagrangian in experiments.PARTICLES
            for features in models.VELOCITY_FEATURES
            for seed in range(3)
        }
    return {
        f"tuning, {name}, {peak}": (_tuned, (name, peak))
        for name in experiments.particle_models()
        for peak in PEAKS
    }


def _experiment(lagrangian, seed):
    return experiments.relativistic_particle(seed=seed, lagrangian=lagrangian, progress=False)


def _polished(lagrangian, name, seed):
    system, model = experiments.PARTICLES[lagrangian], experiments.particle_models(lagrangian)[name]
    recipe = experiments.particle_recipe(system, experiments.LONG_POLISH)
    return _judged(system, model, recipe, seed, STEPS)


def _short(features, loss, seed):
    system = experiments.PARTICLES["paper"]
    model = replace(experiments.particle_models()["lnn"], **FEATURES[features])
    recipe = replace(experiments.particle_recipe(system, POLISH), loss=loss, polish=None)
    return _judged(system, model, recipe, seed, SHORT)


def _onward(before):
    system, model = experiments.PARTICLES["paper"], experiments.particle_models()["lnn"]
    recipe = experiments.particle_recipe(system, None)
    stuck = replace(recipe, loss="l1").fit(
        model, seed=0, steps=before, label="onto the plateau", progress=False
    )
    fits = {"plateau": stuck}
    for loss in LOSSES:
        fits[loss] = train.fit(
            train.acceleration_loss(model, loss, recipe.scale),
            stuck.params,
            recipe.batches,
            key=jax.random.key(9),
            steps=2000,
            batch_size=256,
            optimizer=train.muon(0.01, 2000, 0.2),
            progress=False,
        )
    protocol = experiments.ParticleProtocol(system)
    return {name: protocol.acceleration_errors(model, fit.params) for name, fit in fits.items()}


def _featured(lagrangian, features, seed):
    system, model = (
        experiments.PARTICLES[lagrangian],
        experiments.particle_models(lagrangian)["lnn"],
    )
    model = replace(model, velocity_features=features)
    return _judged(system, model, experiments.particle_recipe(system, POLISH), seed, STEPS)


def _tuned(name, peak):
    system, model = experiments.PARTICLES["paper"], experiments.particle_models()[name]
    recipe = experiments.particle_recipe(system, POLISH)
    recipe = replace(recipe, optimizer=lambda steps: train.muon(peak, steps, 0.2))
    return _judged(system, model, recipe, 0, STEPS)


def _judged(system, model, recipe, seed, steps):
    return study.judged(model, recipe, experiments.ParticleProtocol(system), seed=seed, steps=steps)


if __name__ == "__main__":
    study.main(__doc__, "relativistic_particle", runs, MINUTES)
