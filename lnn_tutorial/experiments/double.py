"""The double pendulum: the paper's headline, by its recipe and by the course's."""

import jax
import optax

from lnn_tutorial import _inputs, evaluate, models, systems, train
from lnn_tutorial.experiments.recipe import (
    STARTS,
    OptionError,
    Recipe,
    command_line,
    compete,
    result,
)

STATES = ("box", "visited")
"""What the networks of `double_pendulum` may be trained on."""

PAPER_LOSSES = ("l1", "l2")
"""The losses that the paper's text leaves open, see `paper_recipe`."""


def double_pendulum_protocol(starts=40, **settings):
    """The paper's protocol: near-rest starts, 100 s at 0.1 s, energies over 29.4 J.

    29.4 J is the largest potential energy (m₁ + m₂) g l₁ + m₂ g l₂. The paper averages the last
    frame over 40 starts; `evaluate.energy_error` does, and more.

    Source: the public code of Cranmer et al. (2020).
    """
    return evaluate.Protocol(systems.DoublePendulum(), 29.4, starts, **settings)


def double_pendulum_recipe(states="box", seed=0):
    """This course's recipe: the bounded loss, Muon to a peak of 0.01, batches of 128.

    Args:
        states: `"box"`, the paper's; or `"visited"`, by pendulums that swing (`train.visited`).
        seed: of the visited motions.
    """
    _inputs.choice("states", states, STATES)
    _inputs.seed(seed)
    system = systems.DoublePendulum()
    batches = (
        train.labelled(system)
        if states == "box"
        else train.visited(system, jax.random.fold_in(jax.random.key(1_000_003), seed))
    )
    return Recipe(batches, states, lambda steps: train.muon(0.01, steps), scale=5.0)


def double_pendulum_models(**change):
    """This course's contestants, 3 × 64 silu; `change` replaces arguments of both."""
    face = {"dim": 2, "angles": (True, True), "velocity_scale": 5.0, "width": 64, "depth": 3}
    face |= {"activation": "silu", **change}
    return {
        "lnn": models.LNN(**face),
        "plain": models.PlainNetwork(**face, acceleration_scale=20.0),
    }


def paper_recipe(loss="l1"):
    """The paper's recipe: batches of 32 from the box, Adam from 1e-3 down, L1 or L2.

    The paper says "a decaying learning rate"; here it decays linearly to zero.

    Source: Cranmer et al. (2020), Section 5.
    """

    def optimizer(steps):
        return optax.adam(optax.linear_schedule(1e-3, 0.0, steps))

    _inputs.choice("loss", loss, PAPER_LOSSES)
    batches = train.labelled(systems.DoublePendulum())
    return Recipe(batches, "box", optimizer, loss=loss, batch_size=32)


def paper_models(**change):
    """The paper's contestants: 4 × 500 softplus on raw wrapped angles, Eq. 16 for the LNN.

    `change` replaces arguments of both: `width=64` makes networks that train fast.
    """
    face = {"dim": 2, "angles": (True, True), "angle_features": "wrapped"}
    face |= {"width": 500, "depth": 4, "activation": "softplus", **change}
    return {
        "lnn": models.LNN(**{"initialisation": "eq16", "kinetic_offset": False} | face),
        "plain": models.PlainNetwork(**face),
    }


@command_line(
    starts=STARTS,
    states={
        "choices": STATES,
        "help": "train on the paper's box or on states that swinging pendulums visit",
    },
    paper={
        "help": "train as the paper's text states: 4 × 500, batches of 32, Eq. 16, no offset, "
        "wrapped angles"
    },
    loss={"choices": PAPER_LOSSES, "help": "with --paper; l1 if absent"},
)
def double_pendulum(
    seed=0,
    steps=30_000,
    starts=40,
    states="box",
    paper=False,
    loss=None,
    checkpoint=None,
    progress=True,
):
    """A Lagrangian network and a plain network learn the double pendulum.

    All see the same states, drawn fresh for every step, with the same width, depth, optimiser,
    schedule and loss. `plain` has the Lagrangian network's number of steps, and
    `plain_same_time` about as many as fit into its training time. All are judged by
    `double_pendulum_protocol`.

    Args:
        seed: of the parameters and the training states.
        steps: of training, for the Lagrangian network.
        starts: how many motions are judged.
        states: `"box"` or `"visited"`, see `double_pendulum_recipe`.
        paper: train as the paper's text says, see `paper_recipe` and `paper_models`.
        loss: a name in `PAPER_LOSSES`, with `paper`; `"l1"` by default.
        checkpoint: a folder for checkpoints, to resume from.
        progress: whether to show bars.

    Returns:
        Dict: as `spring_pendulum`, and what `states` and `recipe` were.

    Raises:
        OptionError: `paper` with visited states, a `loss` without `paper`.
    """
    if paper:
        if states != "box":
            raise OptionError(f"expected states 'box' with the paper's recipe, got {states!r}")
        contestants, recipe = paper_models(), paper_recipe(loss or "l1")
    else:
        if loss is not None:
            raise OptionError(f"expected a loss with the paper's recipe only, got {loss!r}")
        contestants, recipe = double_pendulum_models(), double_pendulum_recipe(states, seed)
    protocol = double_pendulum_protocol(starts)
    settings = {"seed": seed, "checkpoint": checkpoint, "progress": progress}
    figures, _ = compete(contestants, recipe, protocol, steps=steps, **settings)
    ratio = figures["lnn"]["train_seconds"] / figures["plain"]["train_seconds"]
    more = max(steps, 500 * round(ratio * steps / 500))  # whole chunks of `fit`
    longer = {"plain_same_time": contestants["plain"]}
    figures |= compete(longer, recipe, protocol, steps=more, **settings)[0]
    facts = {"starts": starts, "recipe": "paper" if paper else "course", "states": states}
    return result("double-pendulum", figures, protocol, seed=seed, steps=steps, **facts)
