"""One call from a table to a model and an honest report."""

import dataclasses
from functools import partial

import jax

from lnn_tutorial import _inputs, models, train
from lnn_tutorial.learning.plans import POSITIONS, Plan, plan
from lnn_tutorial.learning.reports import Report, report
from lnn_tutorial.learning.rounds import fit_positions, fit_states


@dataclasses.dataclass(frozen=True, eq=False)
class Learned:
    """What `learn` leaves.

    Args:
        model, params: the model and its parameters.
        plan: the `Plan`.
        report: the `Report`.
        fit: the `train.Fit` of the model.
        plain_fit: that of the plain network, or None.
    """

    model: models.Model
    params: object
    plan: Plan
    report: Report
    fit: train.Fit
    plain_fit: train.Fit | None

    def law(self):
        """The learned acceleration, a function `(q [d], q_dot [d]) -> q_ddot [d]`."""
        return partial(self.model.acceleration, self.params)

    def __repr__(self):
        return f"Learned({type(self.model).__name__}, {self.fit})"


def learn(
    table,
    *,
    model="lnn",
    friction=False,
    seed=0,
    steps=6000,
    held_out=0.2,
    compare=True,
    checkpoint=None,
    progress=True,
):
    """Learn the law of motion from a measured table, and say how good it is.

    Args:
        table: a `data.Table`.
        model: `"lnn"`, `"delan"` or `"plain"`.
        friction: whether viscous friction is learned beside the Lagrangian.
        seed: of the parameters, the held-out motions and the batches.
        steps: of training.
        held_out: the share of motions that are not trained on; of a single motion, of its end.
        compare: whether a plain network is trained beside, in as many steps.
        checkpoint: a folder for checkpoints, to resume from.
        progress: whether to show bars.

    Returns:
        `Learned`.

    Raises:
        ValueError: too few frames to learn from, a choice that does not fit the table;
        NonFiniteError, DivergedError, StoreError: as `train.fit`.
    """
    settings = {"model": model, "friction": friction, "seed": seed, "steps": steps}
    made = plan(table, **settings, held_out=held_out, compare=compare)
    return follow(made, checkpoint=checkpoint, progress=progress)


def follow(plan, *, checkpoint=None, progress=True):
    """Train as a plan says, and report: what `learn` does, for who wants to see the plan before.

    Args:
        plan: a `Plan`.
        checkpoint, progress: as in `learn`.

    Returns:
        `Learned`.
    """
    if checkpoint is not None:
        checkpoint = _inputs.folder("checkpoint", checkpoint)
    fit = _fit(plan, plan.model, "model", checkpoint, progress)
    plain = None
    if plan.plain is not None:
        plain = _fit(plan, plan.plain, "plain network", checkpoint, progress)
    found = report(plan, plan.model, fit.params, plan.plain, plain and plain.params)
    return Learned(plan.model, fit.params, plan, found, fit, plain)


def _fit(plan, model, label, checkpoint, progress):
    settings = {"steps": plan.steps, "checkpoint": checkpoint, "progress": progress, "label": label}
    settings["key"] = jax.random.key(plan.seed)
    if plan.way == POSITIONS:
        return fit_positions(model, plan.training, noise=plan.noise, **settings)
    typical = float((plan.acceleration**2).sum() ** 0.5) / 3
    return fit_states(model, plan.training, scale=typical, **settings)
