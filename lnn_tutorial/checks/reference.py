"""The truth that answers are compared with: traced once for each system, whatever is tried."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import numpy as np

from lnn_tutorial import mechanics, train
from lnn_tutorial.checks.verdict import Stop, Verdict, ask, wrong


@cache
def compiled(system, name):
    """A method of a system, compiled, and the same function object for equal systems.

    A student's function that gets it need not trace the system anew at every call.
    """
    return jax.jit(getattr(system, name))


@partial(jax.jit, static_argnums=0)
def each(function, q, q_dot):
    """A function of one state at states `[n, d]`; traced once for a function of `compiled`."""
    return jax.vmap(function)(q, q_dot)


@partial(jax.jit, static_argnums=0)
def facts(lagrangian, q, q_dot):
    """𝓛, p, M and F at states `[n, d]`; traced once for a Lagrangian of `compiled`."""
    momentum = jax.value_and_grad(lagrangian, argnums=1)
    equation = mechanics.equation_of_motion(lagrangian)
    return jax.vmap(lambda *state: (*momentum(*state), *equation(*state)))(q, q_dot)


@cache
def by_position(lagrangian):
    """∂𝓛/∂q, the same function object for each Lagrangian."""
    return jax.grad(lagrangian)


# --- Trained models -------------------------------------------------------------------


def accelerate(model: Any, params: Any, q: Any, q_dot: Any) -> Callable:
    """The accelerations of a trained model as a function of a batch `[n, d]`.

    Ends the check for a model without a Lagrangian, for a whole fit in the place of its parameters,
    and for a model without an acceleration.
    """
    if not hasattr(model, "lagrangian"):
        raise Stop(
            wrong(
                f"{type(model).__name__} has no Lagrangian, whatever it has learned. This task "
                "is for a model that has one."
            )
        )
    if isinstance(params, train.Fit):
        raise Stop(wrong("That is the whole result of `train.fit`; hand over its `.params`."))
    lagrangian = partial(model.lagrangian, params)
    ask(lagrangian, q[0], q_dot[0])
    many = jax.jit(jax.vmap(mechanics.acceleration(lagrangian)))
    found = np.asarray(ask(many, q, q_dot))
    if lost := np.count_nonzero(~np.isfinite(found).all(axis=1)):
        raise Stop(
            wrong(
                f"At {lost} of {len(q)} states there is no finite acceleration: a parameter is not "
                "finite, or the mass matrix has no inverse."
            )
        )
    return many


def error(found: Any, system: Any, q: Any, q_dot: Any) -> float:
    """The relative error of accelerations `[n, d]`, over all states."""
    truth = each(compiled(system, "acceleration"), q, q_dot)
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))


def still_wrong(many: Callable, system: Any, q: Any, q_dot: Any) -> Verdict:
    """Verdict on a network that is not right enough, with what is seen of the cause."""
    found = np.asarray(many(q, q_dot))
    missed = error(found, system, q, q_dot)
    digits = 2 if missed < 0.1 else 0
    seen = f"On fresh states your accelerations are {100 * missed:.{digits}f} % wrong"
    if missed > 0.5:
        return wrong(
            f"{seen}: your network knows next to nothing of this system.",
            "Are these the trained parameters, and of this system?",
        )
    turned = np.asarray(many(q + 2 * np.pi, q_dot))
    if np.linalg.norm(turned - found) > 0.01 * np.linalg.norm(found):
        return wrong(
            f"{seen}. A full turn changes them: the network does not know what an angle is."
        )
    off = ((found - each(compiled(system, "acceleration"), q, q_dot)) ** 2).sum(axis=1)
    speed = np.abs(q_dot).max(axis=1)
    limit = np.quantile(speed, 0.8)
    share = off[speed > limit].sum() / off.sum()
    where = "at large velocities as at small ones"
    if share > 0.5:
        where = f"mostly where a velocity is above {limit:.1f} rad/s"
    return wrong(f"{seen}, {where}.", "Does the loss still fall when training ends, or jump about?")
