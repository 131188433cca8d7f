"""The spring pendulum: the first system on which the two kinds of network meet."""

from lnn_tutorial import evaluate, models, systems, train
from lnn_tutorial.experiments.recipe import STARTS, Recipe, command_line, compete, result


@command_line(starts=STARTS)
def spring_pendulum(seed=0, steps=5000, starts=40, checkpoint=None, progress=True):
    """A Lagrangian network and a plain network learn the spring pendulum from equal data.

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
        "plain": models.PlainNetwork(**face, acceleration_scale=20.0),
    }
    recipe = Recipe(train.labelled(system), "box", lambda n: train.muon(0.02, n), scale=20.0)
    unit = system.mass * system.gravity * system.rest_length
    protocol = evaluate.Protocol(system, unit, starts, substeps=8)
    settings = {"seed": seed, "steps": steps, "checkpoint": checkpoint, "progress": progress}
    figures, _ = compete(contestants, recipe, protocol, **settings)
    return result("spring-pendulum", figures, protocol, seed=seed, steps=steps, starts=starts)
