"""The truth that answers are compared with: traced once for each system, whatever is tried."""

from functools import cache, partial

import jax

from lnn_tutorial import mechanics


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
