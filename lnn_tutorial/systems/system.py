"""What every system shares, and what those share that have a kinetic and a potential energy."""

from dataclasses import dataclass, fields
from typing import ClassVar

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs


@dataclass(frozen=True)
class System:
    """What every system shares: constants checked when it is made, states sampled from a box."""

    dim: ClassVar[int]
    angles: ClassVar[tuple[bool, ...]]
    """Which coordinates are angles, equal again after a full turn."""
    context: ClassVar[int] = 0
    """How many non-dynamical parameters come with each state."""

    def __post_init__(self):
        _inputs.positive(**{f.name: getattr(self, f.name) for f in fields(self)})

    def _box(self):
        """Lower and upper corner of the box of states: two pairs (q [d], q_dot [d])."""
        raise NotImplementedError

    def sample(self, key, n):
        """Draw `n` states uniformly from the system's box, given in the class's docstring.

        Args:
            key: a JAX random key.
            n: how many.

        Returns:
            `(q [n, d], q_dot [n, d])`.
        """
        _inputs.count(n=n)
        low, high = (jnp.concatenate([jnp.asarray(x, float) for x in c]) for c in self._box())
        states = jax.random.uniform(key, (n, 2 * self.dim), minval=low, maxval=high)
        return states[:, : self.dim], states[:, self.dim :]

    def _state(self, q, q_dot):
        q, q_dot = _inputs.state(q, q_dot)
        return self._coordinates(q), q_dot

    def _coordinates(self, q):
        q = _inputs.vector("q", q)
        if q.shape != (self.dim,):
            raise ValueError(f"expected {self.dim} coordinate(s), got q of shape {q.shape}")
        return q


@dataclass(frozen=True)
class NaturalSystem(System):
    """A system whose Lagrangian is the kinetic less the potential energy: 𝓛 = T − V, E = T + V.

    A subclass says T in `_kinetic(q, q_dot)` and V in `_potential(q)`, of a state already checked.
    """

    def lagrangian(self, q, q_dot):
        """𝓛 = T − V, in joules."""
        q, q_dot = self._state(q, q_dot)
        return self._kinetic(q, q_dot) - self._potential(q)

    def energy(self, q, q_dot):
        """E = T + V, in joules."""
        q, q_dot = self._state(q, q_dot)
        return self._kinetic(q, q_dot) + self._potential(q)

    def _kinetic(self, q, q_dot):
        """T of a state, a scalar."""
        raise NotImplementedError

    def _potential(self, q):
        """V of a state, a scalar."""
        raise NotImplementedError
