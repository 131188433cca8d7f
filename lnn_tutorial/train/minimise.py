"""A few parameters by SciPy: all data at once, in double precision."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import scipy.optimize
from jax.flatten_util import ravel_pytree

from lnn_tutorial import _inputs, integrate
from lnn_tutorial.train.looks import NonFiniteError
from lnn_tutorial.train.loop import Fit


def minimise(loss, params, batch, *, steps=300):
    """Minimise a loss of one batch by BFGS, for models of a few parameters.

    A formula with ten constants has few parameters and needs all their digits; a network, of which
    this would hold a matrix of squared size, is trained by `fit`.

    Args:
        loss: function `(params, batch) -> scalar`, such as `acceleration_loss(model)`.
        params: where to begin, a pytree.
        batch: all data, such as `data.motions(…).windows(K).batch()`.
        steps: at most so many steps.

    Returns:
        `Fit`: parameters of the dtypes that were given, and the loss after each step. SciPy's word
        for why it ended is not kept: a gradient that is not the loss's own to all digits, as that
        of `motion_loss` with free starts, ends in "precision loss" at the minimum.

    Raises:
        ValueError: more than 1000 parameters.
        NonFiniteError: the loss or its gradient is not finite where it begins. Beyond that, a
            point where it is not counts as infinitely high, and the search turns back from it.

    Source: Nocedal & Wright (2006), Section 6.1; the implementation is SciPy's.
    """
    _inputs.function("loss", loss)
    _inputs.count(steps=steps)
    given, unravel = ravel_pytree(params)
    if given.size > 1000:
        raise ValueError(
            f"expected at most 1000 parameters for BFGS, got {given.size}: train.fit is for these"
        )
    begins = time.perf_counter()
    with integrate.double_precision():
        _, finer = ravel_pytree(_double(params))
        batch = _double(batch)
        both = jax.jit(jax.value_and_grad(lambda flat: loss(finer(flat), batch)))

        def value(flat):
            found, slope = both(jnp.asarray(flat))
            if not (jnp.isfinite(found) and jnp.isfinite(slope).all()):
                return np.inf, np.zeros_like(flat)
            return float(found), np.asarray(slope)

        start = np.asarray(given, float)
        losses = [value(start)[0]]
        if not np.isfinite(losses[0]):
            raise NonFiniteError(
                "expected a finite loss and gradient where BFGS begins, got a loss of "
                f"{float(both(jnp.asarray(start))[0]):.3g}",
                step=0,
                params=params,
                losses=np.array([]),
            )
        last = scipy.optimize.minimize(
            value,
            start,
            jac=True,
            method="BFGS",
            options={"maxiter": steps},
            callback=lambda intermediate_result: losses.append(intermediate_result.fun),
        )
    best = unravel(jnp.asarray(last.x, given.dtype))
    return Fit(best, np.array(losses), time.perf_counter() - begins)


def _double(tree):
    """The tree with its real numbers in double precision."""
    return jax.tree.map(
        lambda x: jnp.asarray(x, float) if jnp.issubdtype(jnp.result_type(x), jnp.floating) else x,
        tree,
    )
