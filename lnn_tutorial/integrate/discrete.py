"""The action of one step: a polynomial between two positions, and a rule that sums 𝓛 along it."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from lnn_tutorial import mechanics


class Rule(NamedTuple):
    """A polynomial through nodes from one position to the next, and where 𝓛 is taken along it.

    Args:
        weights: of the places, as shares of the time between the two `[s]`.
        times: of the places, likewise `[s]`.
        q: from the positions of the nodes to those at the places `[s, nodes]`.
        q_dot: from the positions of the nodes to velocities, times the time between the two.
    """

    weights: np.ndarray
    times: np.ndarray
    q: np.ndarray
    q_dot: np.ndarray


RULES = {
    2: Rule(np.ones(1), np.array([0.5]), np.array([[0.5, 0.5]]), np.array([[-1.0, 1.0]])),
    4: Rule(
        np.array([1.0, 4.0, 1.0]) / 6,
        np.array([0.0, 0.5, 1.0]),
        np.eye(3),
        np.array([[-3.0, 4.0, -1.0], [-1.0, 0.0, 1.0], [1.0, -4.0, 3.0]]),
    ),
}
"""By order: a straight line and the midpoint rule; a parabola and Simpson's rule.

Source: Marsden & West (2001), Section 2.6, and Section 1.1 for the first.
"""


def discrete_lagrangian(lagrangian, q_now, q_next, dt, t=0.0):
    r"""The action of one step by the midpoint rule, 𝓛_d = dt · 𝓛(½(q₀ + q₁), (q₁ − q₀)/dt).

    Where 𝓛 depends on time, it is taken in the middle as well, at t + ½ dt.

    Source: Marsden & West (2001), Section 1.1.
    """
    return action(RULES[2], lagrangian, jnp.stack([q_now, q_next]), dt, t)


def action(rule, lagrangian, nodes, dt, t):
    """dt Σᵢ bᵢ 𝓛(qᵢ, q̇ᵢ) of the polynomial through nodes `[n, d]`."""
    found = along(rule, lagrangian, nodes, dt, t)
    return dt * sum(weight * x for weight, x in zip(rule.weights.tolist(), found, strict=True))


def along(rule, function, nodes, dt, t):
    """A function of a state, and of the time if need be, at each of a rule's places."""
    q, q_dot = (jnp.asarray(of, nodes.dtype) @ nodes for of in (rule.q, rule.q_dot))
    times = rule.times.tolist()
    if mechanics.takes_time(function):
        return [function(q[i], q_dot[i] / dt, t=t + dt * s) for i, s in enumerate(times)]
    return [function(q[i], q_dot[i] / dt) for i in range(len(times))]
