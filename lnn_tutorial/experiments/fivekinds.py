"""All kinds of network on one system; and the Lagrangian one, followed for long."""

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs, models, systems, train
from lnn_tutorial.experiments.double import (
    double_pendulum_models,
    double_pendulum_protocol,
    double_pendulum_recipe,
)
from lnn_tutorial.experiments.kinds import contests
from lnn_tutorial.experiments.matrix import (
    BATCH,
    KIND_SIGNALS,
    KindProtocol,
    KindRecipe,
    TrueLaw,
    followed,
    or_infinite,
    values,
)
from lnn_tutorial.experiments.recipe import (
    NEW_STARTS,
    NEW_STATES,
    STARTS,
    Recipe,
    command_line,
    result,
)

LONG = ("double pendulum", "damped pendulum")
"""Systems whose Lagrangian network is followed for 100 s, see `followed_for_long`."""


def followed_for_long(name, seed=0, steps=20_000):
    """Train a Lagrangian network on states that motions visit, and follow it for 100 s.

    The double pendulum is that of chapter 5, judged as there. The damped one has a force that is
    viscous friction; 40 motions from states of its box are compared with the true ones.

    Args:
        name: in `LONG`.
        seed: of the parameters and the states.
        steps: of training.

    Returns:
        Dict of floats. Of the double pendulum those of `evaluate.Protocol.figures`. Of the damped
        one, with the energy E counted from rest: the means over time of |E − E_true|/E(0), and of
        |E − E_true|/E_true while E_true has still a thousandth of E(0); of the first the median
        over starts, `energy`, and the worst, `energy_worst`; of the second `decay` and
        `decay_worst`.
    """
    _inputs.choice("name", name, LONG)
    _inputs.count(steps=steps)
    if name == "double pendulum":
        model = double_pendulum_models()["lnn"]
        recipe, judge = double_pendulum_recipe("visited", seed), double_pendulum_protocol()
    else:
        system = systems.DampedPendulum()
        key = jax.random.fold_in(jax.random.key(1_000_022), _inputs.seed(seed))
        visited = train.visited(system, key, seconds=60.0, slower=1, noise=0.1)
        model = models.LNN(
            dim=1, angles=(True,), velocity_scale=3.0, width=48, depth=3, activation="silu",
            force=models.ViscousFriction(scale=0.02),
        )  # fmt: skip
        recipe, judge = (
            Recipe(visited, "visited", lambda n: train.muon(0.01, n), scale=1.0),
            _Decay(),
        )
    fit = recipe.fit(model, seed=seed, steps=steps, label=name, progress=False)
    return {"steps": steps, "train_seconds": fit.seconds, **judge.figures(model, fit.params)}


class _Decay:
    """How a damped pendulum is judged: by its energy against the true one."""

    steps: ClassVar[dict] = {"dt": 0.1, "steps": 1000, "substeps": 10}

    def figures(self, model, params):
        system = systems.DampedPendulum()
        start = system.sample(jax.random.key(NEW_STARTS), 40)
        moved = followed(model, jax.tree.map(lambda x: x[None], params), start, **self.steps)
        true = followed(TrueLaw(system), jnp.zeros((1, 1)), start, **self.steps)
        rest = values(system.energy, np.zeros((1, 1)), np.zeros((1, 1))).item()
        found, true = (values(system.energy, *x)[0, :, :, 0] - rest for x in (moved, true))
        miss, begun = or_infinite(np.abs(found - true)), true[:, :1]
        strayed = (miss / begun).mean(axis=1)
        still = true > 1e-3 * begun
        decay = np.where(still, miss / true, 0).sum(axis=1) / still.sum(axis=1)
        figures = {"energy": np.median(strayed), "energy_worst": strayed.max()}
        figures |= {"decay": np.median(decay), "decay_worst": decay.max()}
        return {name: float(x) for name, x in figures.items()}


@command_line(
    starts=STARTS,
    system={"choices": tuple(contests()), "help": "what they learn"},
    signal={"choices": KIND_SIGNALS, "help": "what of it they see"},
)
def five_kinds(
    seed=0,
    steps=4000,
    starts=20,
    system="double pendulum",
    signal="accelerations",
    checkpoint=None,
    progress=True,
):
    """All kinds of network learn one system from the same motions: a row of chapter 12.

    Each takes the same number of steps by a `KindRecipe`, and is judged by `KindProtocol`. The
    table of all systems, in `recorded("five_kinds")`, has five members each, and a rate that each
    contestant has chosen for itself.

    Args:
        seed: of the parameters, the motions and the batches.
        steps: of training.
        starts: how many motions are followed when judging.
        system: a name in `contests`.
        signal: a name in `KIND_SIGNALS`.
        checkpoint: a folder for checkpoints, to resume from.
        progress: whether to show bars.

    Returns:
        Dict: as `spring_pendulum`, and what `system` and `signal` were.
    """
    _inputs.choice("system", system, contests())
    _inputs.choice("signal", signal, KIND_SIGNALS)
    if _inputs.seed(seed) == NEW_STATES:
        raise ValueError(f"expected another seed than {NEW_STATES}: the motions of that one judge")
    if checkpoint is not None:
        _inputs.folder("checkpoint", checkpoint)
    contest = contests()[system]
    motions = contest.motions(seed)
    samples = contest.samples(motions)
    recipe, protocol = (
        KindRecipe(contest, motions, signal),
        KindProtocol(contest, samples, starts),
    )
    figures = {}
    for name, model in contest.models(samples).items():
        settings = {"label": name, "checkpoint": checkpoint, "progress": progress}
        fit = recipe.fit(model, seeds=[seed], steps=steps, **settings)
        told = {"states_seen": BATCH * steps, "train_seconds": fit.seconds}
        found = protocol.figures(model, fit.params)
        figures[name] = told | {key: x.item() for key, x in found.items()}
    facts = {"starts": starts, "system": system, "signal": signal}
    return result("five-kinds", figures, protocol, seed=seed, steps=steps, **facts)
