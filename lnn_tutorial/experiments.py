"""The experiments of the book, headless: train, measure, return what JSON can hold.

`python -m lnn_tutorial reproduce NAME` runs them; the chapters show the same recipes step by step.
"""

import time
from functools import partial
from pathlib import Path

import jax

from lnn_tutorial import evaluate, models, systems, train


def spring_pendulum(seed=0, steps=5000, starts=40, checkpoint=None, progress=True):
    """A Lagrangian network and a black box learn the spring pendulum from equal data (Chapter 3).

    Both see the same fresh states, 128 a step, with the same width, depth, optimiser and bounded
    loss. Both are judged on 10,000 fresh states, and on released starts over 100 s at 0.1 s with
    eight Runge–Kutta steps in each; energies are measured in units of m g l.

    Args:
        seed: of the parameters and the training states.
        steps: of training, for each model.
        starts: how many motions are judged.
        checkpoint: a folder for checkpoints, to resume from.
        progress: whether to show bars.

    Returns:
        Dict: `experiment`, `seed`, `steps`, `starts`, `train_seconds`, `states_seen`,
        `integrator_floor` and `models`, figures by model.
    """
    system = systems.SpringPendulum()
    face = {"dim": 2, "angles": system.angles, "velocity_scale": 5.0, "width": 64, "depth": 3}
    contestants = {
        "lnn": models.LNN(**face),
        "black_box": models.BlackBox(**face, acceleration_scale=20.0),
    }
    init_key, data_key = jax.random.split(jax.random.key(seed))
    test = train.labelled(system)(jax.random.key(1_000_001), 10_000)
    released = system.sample_released(jax.random.key(1_000_002), starts)
    unit = system.mass * system.gravity * system.rest_length
    frames = {"dt": 0.1, "steps": 1000, "substeps": 8}

    result = {
        "experiment": "spring-pendulum",
        "seed": seed,
        "steps": steps,
        "starts": starts,
        "states_seen": 128 * steps,
        "train_seconds": 0.0,
        "models": {},
    }
    for name, model in contestants.items():
        began = time.perf_counter()
        fit = train.fit(
            train.acceleration_loss(model, "relative", scale=20.0),
            model.init(init_key),
            train.labelled(system),
            key=data_key,
            steps=steps,
            optimizer=train.muon(0.02, steps),
            checkpoint=checkpoint and Path(checkpoint) / name,
            progress=progress,
            label=name,
        )
        seconds = time.perf_counter() - began
        acceleration = partial(model.acceleration, fit.params)
        motion = evaluate.rollouts(acceleration, *released, **frames)
        figures = {"train_seconds": seconds, **evaluate.acceleration_error(acceleration, *test)}
        figures |= evaluate.energy_error(system.energy, *motion, scale=unit)
        if name == "lnn":
            learned = jax.vmap(partial(model.energy, fit.params))(*test[:2])
            match = evaluate.match_energy(learned, jax.vmap(system.energy)(*test[:2]))
            figures["energy_unexplained"] = match["unexplained"]
        result["models"][name] = figures
        result["train_seconds"] += seconds
    truth = evaluate.rollouts(system.acceleration, *released, **frames)
    result["integrator_floor"] = evaluate.energy_error(system.energy, *truth, scale=unit)
    return result


EXPERIMENTS = {"spring-pendulum": spring_pendulum}
"""Experiments by the name that `reproduce` takes."""
