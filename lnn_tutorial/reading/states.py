"""States to read a function at, checked, with their natural scales."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs, integrate, mechanics


@dataclass(frozen=True, eq=False)
class States:
    """A batch of states in double precision.

    Args:
        q, q_dot: `[n, d]`.
        context: `[n, c]` or None.
        angles: which coordinates are angles `[d]`.
    """

    q: np.ndarray
    q_dot: np.ndarray
    context: np.ndarray | None
    angles: np.ndarray

    @classmethod
    def of(cls, states, angles=()):
        """From a tuple `(q, q_dot)` or `(q, q_dot, context)`, or raise."""
        if hasattr(states, "shape") and np.ndim(states) == 3:
            states = tuple(states)
        if not isinstance(states, (tuple, list)) or len(states) not in (2, 3):
            raise TypeError(
                "expected states as (q, q_dot), or as (q, q_dot, context), of many rows each, got "
                f"{type(states).__name__}"
            )
        dim = np.shape(states[0])[-1] if np.ndim(states[0]) == 2 else 1
        with integrate.double_precision():
            q, q_dot = (np.asarray(x, float) for x in _inputs.states(*states[:2], dim))
        context = None
        if len(states) == 3 and states[2] is not None:
            context = np.asarray(states[2], float)
            if context.ndim != 2 or len(context) != len(q) or not np.isfinite(context).all():
                raise ValueError(
                    f"expected a finite context of shape [{len(q)}, c], got {context.shape}"
                )
        flags = _inputs.flags("angles", angles, dim) if np.size(angles) else (False,) * dim
        return cls(q, q_dot, context, np.array(flags))

    @property
    def scale(self):
        """A size for each coordinate `[d]`: its standard deviation, a radian for an angle."""
        spread = self.q.std(axis=0)
        largest = np.abs(self.q).max(axis=0)
        moves = spread > 1e-12 * largest  # by more than rounding
        return np.where(self.angles, 1.0, np.where(moves, spread, np.maximum(largest, 1.0)))

    @property
    def context_scale(self):
        """The size of each entry of the context `[c]`."""
        size = np.sqrt(np.mean(self.context**2, axis=0))
        return np.where(size > 0, size, 1.0)

    @property
    def time(self):
        """T, in which a typical motion passes a size."""
        speed = np.sqrt(np.mean((self.q_dot / self.scale) ** 2))
        return 1 / speed if speed else 1.0

    @property
    def natural(self):
        """A size over T² for each coordinate `[d]`: an acceleration."""
        return self.scale / self.time**2

    def like(self, q_ddot, rng):
        """Random accelerations `[n, d]`, at each state of about the size of those given."""
        size = np.sqrt(np.mean(q_ddot**2, axis=0))
        size = np.where(size > 1e-6 * self.natural, size, self.natural)
        here = np.sqrt(np.mean((q_ddot / size) ** 2, axis=1, keepdims=True))
        return np.maximum(here, 1e-3) * size * rng.normal(size=q_ddot.shape)

    def arrays(self):
        """`(q, q_dot, context)` of JAX, in double precision within its block; a context or None."""
        given = None if self.context is None else jnp.asarray(self.context)
        return jnp.asarray(self.q), jnp.asarray(self.q_dot), given

    def beside(self, function):
        """A function of `(q, q_dot, context)`, from one of `(q, q_dot)` if there is no context."""
        if self.context is None:
            return lambda q, q_dot, context=None, **time: function(q, q_dot, **time)
        return function

    def along(self, acceleration):
        """The accelerations `[n, d]` of a function, or those given, or raise."""
        if callable(acceleration):
            if mechanics.takes_time(acceleration):
                raise ValueError(
                    "expected accelerations that do not depend on time, got a function of t"
                )
            with integrate.double_precision():
                found = jax.jit(jax.vmap(self.beside(acceleration)))(*self.arrays())
        else:
            found = acceleration
        found = np.asarray(found, float)
        if found.shape != self.q.shape:
            raise ValueError(
                f"expected accelerations of the shape of q, {self.q.shape}, got {found.shape}"
            )
        good = np.isfinite(found).all(axis=1)
        if not good.all():
            raise ValueError(
                f"expected finite accelerations, but those of {int((~good).sum())} of {len(good)} "
                f"states are not, such as row {int(good.argmin())}: leave these states out"
            )
        return found
