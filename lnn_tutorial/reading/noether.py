r"""Noether's theorem: the conserved quantity of a symmetry, with its gauge term.

Where D𝓛 · (δq, δq̇, τ) = dK/dt along all motions, p·δq − τ E − K is constant. K(q, t) is fitted as a
sum of monomials: dK/dt is known at every state, and so is its slope in q̇.
"""

import itertools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import integrate
from lnn_tutorial.reading.states import States

DEGREE = 6
"""Of the polynomials that a gauge term is fitted by."""


def pushed(function, q, q_dot, context, t, displaced):
    """The derivative of a function along a displacement."""
    A, b, c, tau = displaced
    along = A @ q + b + c * t, A @ q_dot + c, tau
    return jax.jvp(lambda q, q_dot, t: function(q, q_dot, context, t), (q, q_dot, t), along)


def conserved_by(lagrangian, states, times, symmetry, timed, tolerance):
    """Noether's conserved quantity of a symmetry of a Lagrangian, as a function of a state."""
    displaced = symmetry.A, symmetry.b, symmetry.c, symmetry.tau

    def change(q, q_dot, context, t):
        return pushed(lagrangian, q, q_dot, context, t, displaced)[1]

    def noether(q, q_dot, context, t):
        value, p = jax.value_and_grad(lagrangian, argnums=1)(q, q_dot, context, t)
        return p @ symmetry.displacement(q, t) - symmetry.tau * (q_dot @ p - value)

    timed = timed or symmetry.boosts
    gauge = _gauge(change, noether, states, times, tolerance, timed)
    if gauge is None:
        return None

    def conserved(q, q_dot, context, t):
        return noether(q, q_dot, context, t) - gauge(q, context, t)

    lasting = not (timed or gauge.in_time)
    if states.context is None:
        if lasting:
            return lambda q, q_dot: conserved(q, q_dot, None, 0.0)
        return lambda q, q_dot, t: conserved(q, q_dot, None, t)
    if lasting:
        return lambda q, q_dot, context: conserved(q, q_dot, context, 0.0)
    return lambda q, q_dot, context, t: conserved(q, q_dot, context, t)


@dataclass(frozen=True, eq=False)
class Gauge:
    """K(q, t) = Σ cⱼ mⱼ + t Σ c′ⱼ mⱼ + κ t + κ′ t²/2, with m monomials of q and of the context.

    Args:
        powers: of the variables in each monomial `[m, v]`, see `_powers`.
        of_q, of_qt: c and c′ `[m]`.
        of_t: `(κ, κ′)`.
        states: for the scales of the variables.
    """

    powers: np.ndarray
    of_q: np.ndarray
    of_qt: np.ndarray
    of_t: tuple[float, float]
    states: States

    @property
    def in_time(self):
        """Whether K depends on time."""
        return bool(np.any(self.of_qt) or any(self.of_t))

    def monomials(self, q, context=None):
        """All m at one state `[m]`."""
        angles = self.states.angles
        variables = [jnp.where(angles, jnp.cos(q), q / self.states.scale), jnp.sin(q[angles])]
        if context is not None:
            variables.append(context / self.states.context_scale)
        return jnp.prod(jnp.concatenate([*variables, q[angles]]) ** self.powers, axis=1)

    def __call__(self, q, context, t):
        m = self.monomials(q, context)
        return m @ self.of_q + t * (m @ self.of_qt + self.of_t[0] + t * self.of_t[1] / 2)


def _gauge(change, noether, states, times, tolerance, timed):
    """The K whose total derivative in time is the change of 𝓛; None where it is fitted badly.

    Without the time where that will do, and of the lowest degree that fits about as well as the
    highest one.
    """
    speed = states.scale / states.time

    def row(q, q_dot, context, t):
        value, slope = jax.value_and_grad(change, argnums=1)(q, q_dot, context, t)
        return jnp.append(value, slope * speed), noether(q, q_dot, context, t)

    with integrate.double_precision():
        found = jax.jit(jax.vmap(row))(*states.arrays(), jnp.asarray(times))
    target, momentum = (np.asarray(x) for x in found)
    size = max(np.sqrt(np.mean(momentum**2)) / states.time, np.sqrt(np.mean(target[:, 0] ** 2)))
    powers = _powers(states, 1)
    for degree in range(2, DEGREE + 1):
        more = _powers(states, degree)
        if len(more) > target.size // 10:
            break
        powers = more
    order = powers.sum(axis=1)
    along = _along(powers, states, times, speed)
    for in_time in (True,) if timed else (False, True):
        fits = []
        for degree in range(1, order.max() + 1):
            some = order <= degree
            if fits and (1 + in_time) * some.sum() > target.size // 10:
                break
            parts = tuple(x[..., some] for x in along[: 1 + in_time])
            fits.append(_fitted(powers[some], target, states, times, parts))
        enough = max(1.2 * fits[-1][0], 1e-9 * size)
        left, gauge = next(fit for fit in fits if fit[0] <= enough)
        if left <= tolerance * size:
            return gauge
    return None


def _along(powers, states, times, speed):
    """The derivative along the motion of m and of t m, and its slope in q̇: `[n, 1 + d, m]` each."""
    one = Gauge(powers, np.zeros(len(powers)), np.zeros(len(powers)), (0.0, 0.0), states)

    def row(q, q_dot, context):
        return one.monomials(q, context), jax.jacfwd(one.monomials)(q, context)

    with integrate.double_precision():
        m, slope = map(np.asarray, jax.jit(jax.vmap(row))(*states.arrays()))
    along = np.einsum("nmd,nd->nm", slope, states.q_dot)
    of_q = np.concatenate([along[:, None], np.moveaxis(slope * speed, 2, 1)], axis=1)
    of_qt = of_q * times[:, None, None]
    of_qt[:, 0] += m
    return of_q, of_qt


def _fitted(powers, target, states, times, parts):
    """What is left of the target, and a `Gauge` of some monomials by least squares.

    Without the time if there is one part, see `_along`; with it if there are both.
    """
    k = len(powers)
    of_t = np.zeros((*target.shape, 2))
    of_t[:, 0] = np.stack([np.ones(len(times)), times], axis=1)
    in_time = len(parts) == 2
    columns = np.concatenate([*parts, of_t] if in_time else parts, axis=2)
    columns = columns.reshape(target.size, -1)
    c = np.linalg.lstsq(columns, target.ravel(), rcond=1e-12)[0]
    left = np.sqrt(np.mean((target.ravel() - columns @ c) ** 2))
    if not in_time:
        return left, Gauge(powers, c, np.zeros(k), (0.0, 0.0), states)
    return left, Gauge(powers, c[:k], c[k:-2], (float(c[-2]), float(c[-1])), states)


def _powers(states, degree):
    """The powers of all monomials up to a degree `[m, v]`.

    Variables are the coordinates, of angles the cosines; the sines; the context; and the angles,
    alone.
    """
    turning = int(states.angles.sum())
    beside = 0 if states.context is None else states.context.shape[1]
    count = len(states.angles) + turning + beside
    chosen = [
        [k.count(v) for v in range(count)] + [0] * turning
        for order in range(1, degree + 1)
        for k in itertools.combinations_with_replacement(range(count), order)
    ]
    alone = np.eye(turning, count + turning, count, dtype=int)
    return np.concatenate([np.array(chosen), alone])
