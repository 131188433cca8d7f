"""Train the models that come with the package, anew.

    python scripts/train_shipped.py [NAME ...] [--jobs 2]

Each is trained by the recipe of its chapter and then polished by Gauss–Newton steps on larger
batches, on one thread, and judged by its chapter's protocol with steps half as long. `camera` is
what `python -m lnn_tutorial learn --demo` leaves: a Lagrangian network and the plain one beside it,
with the report's figures. The models of the real `pendulum` are those of `reproduce
measured-pendulum`, without a polish. Everything that made a model, and its figures, go into the
header of its file.
Checkpoints are kept in `_build/shipped`: a killed run goes on where it was.
"""

import argparse
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

CHECKPOINTS = Path(__file__).parents[1] / "_build" / "shipped"


def double_pendulum(name):
    """Model, recipe, steps and protocol of a contestant of the double pendulum."""
    from lnn_tutorial import experiments

    model = experiments.double_pendulum_models()[name]
    recipe = experiments.double_pendulum_recipe("visited")
    recipe = replace(recipe, polish=experiments.Polish())
    return model, recipe, 30_000, experiments.double_pendulum_protocol(substeps=40)


def particle(lagrangian, name):
    """The same of a contestant of the relativistic particle."""
    from lnn_tutorial import experiments

    system = experiments.PARTICLES[lagrangian]
    model = experiments.particle_models(lagrangian)[name]
    recipe = experiments.particle_recipe(system, experiments.LONG_POLISH)
    return model, recipe, 6_000, experiments.ParticleProtocol(system, substeps=20)


def wave(positions):
    """The same of a density of the wave equation."""
    from lnn_tutorial import experiments, fields, systems

    n = experiments.TRAINING_RING
    model = experiments.field_model(fields.ring(n), positions)
    recipe = experiments.field_recipe(systems.WaveEquation(n), experiments.LONG_FIELD_POLISH)
    return model, recipe, 3_000, experiments.WaveProtocol()


def springs(place):
    """The same of a density of masses and springs: on a grid of 5 by 5, or on an irregular web."""
    from lnn_tutorial import experiments, fields, systems

    nodes = fields.membrane(5, 5) if place == "membrane" else fields.graph(10, experiments.WEB)
    system = systems.MassesOnSprings(nodes.edges)
    recipe = experiments.field_recipe(system, experiments.Polish(150, 48))
    return experiments.field_model(nodes), recipe, 2_000, experiments.NoiseProtocol(system)


TASKS = {f"double_pendulum_{name}": partial(double_pendulum, name) for name in ("lnn", "plain")}
TASKS |= {
    f"particle_{lagrangian}_{name}": partial(particle, lagrangian, name)
    for lagrangian in ("paper", "relativistic")
    for name in ("lnn", "hnn_canonical", "plain", "hnn", "delan")
}
TASKS |= {"wave_lnn": partial(wave, "centred"), "wave_lnn_raw": partial(wave, "scaled")}
TASKS |= {f"{place}_lnn": partial(springs, place) for place in ("membrane", "web")}
TASKS["camera"] = None  # `camera` makes its own plan
PENDULUMS = {
    f"pendulum_{name}_{pieces}": (name, pieces)
    for name in ("lnn", "delan", "plain", "physicists")
    for pieces in (4, 22)
} | {"pendulum_physicists_more_22": ("physicists, more", 22)}
TASKS |= dict.fromkeys(PENDULUMS)
"""What is trained, by the name that it is shipped under."""


def camera(name):
    """Train and save both networks of the camera table; returns a line about them."""
    from lnn_tutorial import data, learning, store
    from lnn_tutorial.learning import command

    plan = learning.plan(data.table(command.CAMERA, **command.DEMO))
    learned = learning.follow(plan, checkpoint=CHECKPOINTS / name)
    header = {"command": f"python scripts/train_shipped.py {name}", "plan": dict(plan.lines)}
    fits = {
        "lnn": (plan.model, learned.fit, "model"),
        "plain": (plan.plain, learned.plain_fit, "plain"),
    }
    for kind, (model, fit, figures) in fits.items():
        told = {
            "train_seconds": round(fit.seconds),
            "figures": store.for_json(learned.report.figures[figures], 4),
        }
        store.save_model(store.SHIPPED / f"{name}_{kind}.npz", model, fit.params, header | told)
    return f"{name}: {round(learned.fit.seconds)} s\n{learned.report}"


def pendulum(name):
    """Train, judge and save one model of the measured pendulum; returns a line about it."""
    from lnn_tutorial import experiments, store

    contestant, count = PENDULUMS[name]
    model, pieces = experiments.measured_models()[contestant], experiments.training_pieces(count)
    recipe = experiments.MeasuredRecipe(experiments.measured_frames(pieces))
    fit = recipe.fit(model, seed=0, steps=10_000, label=name, checkpoint=CHECKPOINTS)
    figures = experiments.MeasuredProtocol().figures(model, fit.params)
    header = {
        "command": f"python scripts/train_shipped.py {name}",
        "pieces": list(pieces),
        "train_seconds": round(fit.seconds),
        "figures": store.for_json(figures, 4),
    }
    store.save_model(store.SHIPPED / f"{name}.npz", model, fit.params, header)
    return f"{name}: {round(fit.seconds)} s, {figures['held out, smoothed starts']}"


def make(name):
    """Train, judge and save one model; returns a line about it."""
    from lnn_tutorial import store

    if name in PENDULUMS:
        return pendulum(name)
    if name == "camera":
        return camera(name)
    model, recipe, steps, protocol = TASKS[name]()
    fit = recipe.fit(model, seed=0, steps=steps, label=name, checkpoint=CHECKPOINTS)
    figures = protocol.figures(model, fit.params)
    header = {
        "command": f"python scripts/train_shipped.py {name}",
        "states": recipe.states,
        "steps": steps,
        "polish": asdict(recipe.polish),
        "train_seconds": round(fit.seconds),
        "figures": store.for_json(figures, 4),
    }
    # of a field, the density is saved: it serves on any nodes
    model = getattr(model, "model", model)
    store.save_model(store.SHIPPED / f"{name}.npz", model, fit.params, header)
    return f"{name}: {header['train_seconds']} s, {header['figures']}"


def main():
    """Train what is asked for, by default everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(TASKS)}")
    parser.add_argument("--jobs", type=int, default=2, help="models at a time (default 2)")
    options = parser.parse_args()
    unknown = set(options.names) - set(TASKS)
    if unknown:
        parser.error(f"unknown {', '.join(sorted(unknown))}; known are: {', '.join(TASKS)}")
    os.environ["PJRT_NPROC"] = "1"
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn")) as pool:
        for line in pool.map(make, options.names or TASKS):
            print(line, flush=True)


if __name__ == "__main__":
    main()
