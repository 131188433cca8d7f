r"""Training: losses on accelerations and on motions, and one loop that serves every model.

`fit` draws a fresh batch for every step from its key, runs the steps in compiled chunks, shows a
progress bar, stops with the number of the step when something is no longer finite or the loss
explodes, and can be killed and resumed: the batch of step k depends on the key and on k alone, so
on one machine the end is the same bit by bit. Several keys train as many members of an ensemble::

    keys = jax.random.split(jax.random.key(0), 5)
    fit = train.fit(loss, jax.vmap(model.init)(keys), batches, key=keys, steps=2000)
"""

from lnn_tutorial.train.checkpoint import CHECKPOINT
from lnn_tutorial.train.integrals import integral_loss
from lnn_tutorial.train.looks import HELD_OUT_ROWS, DivergedError, NonFiniteError
from lnn_tutorial.train.loop import Fit, fit
from lnn_tutorial.train.losses import (
    LOSSES,
    absolute_error,
    acceleration_loss,
    relative_error,
    relative_residual,
    squared_error,
)
from lnn_tutorial.train.minimise import minimise
from lnn_tutorial.train.motions import SOLVERS, STARTS, motion_loss
from lnn_tutorial.train.optimisers import gauss_newton, muon
from lnn_tutorial.train.states import labelled, visited
from lnn_tutorial.train.triples import discrete_loss

__all__ = [  # noqa: RUF022, the order of the API page
    "relative_error",
    "absolute_error",
    "squared_error",
    "LOSSES",
    "acceleration_loss",
    "motion_loss",
    "discrete_loss",
    "integral_loss",
    "SOLVERS",
    "STARTS",
    "labelled",
    "visited",
    "muon",
    "relative_residual",
    "gauss_newton",
    "fit",
    "Fit",
    "minimise",
    "DivergedError",
    "NonFiniteError",
    "CHECKPOINT",
    "HELD_OUT_ROWS",
]
