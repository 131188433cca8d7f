r"""Symmetries of a motion or of a Lagrangian: a linear map's null space, and Noether's theorem.

A displacement q → q + ε δq with δq = A q + b + c t, and with it t → t + ε τ, is linear in A, b, c
and τ. It maps motions onto motions where

    D a · (δq, δq̇, τ) = A a,        with δq̇ = A q̇ + c,

and it changes 𝓛 by a total derivative where D𝓛 · (δq, δq̇, τ) has no equation of motion: M = 0 and
F = 0. Both are linear in the displacement as well. So at many states each displacement of a basis
gives a column, and the symmetries are what the matrix takes to zero.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs, integrate, mechanics
from lnn_tutorial.reading import libraries
from lnn_tutorial.reading.noether import conserved_by, pushed
from lnn_tutorial.reading.states import States

KINDS = ("motion", "lagrangian")
"""Of what something is a symmetry."""


@dataclass(frozen=True, eq=False)
class Symmetry:
    """A displacement δq = A q + b + c t of the coordinates, and τ of the time.

    Args:
        A: `[d, d]`.
        b, c: `[d]`.
        tau: a number.
        broken: by how much it is none, see `Symmetries`.
        scale, time: sizes of the coordinates `[d]` and a time, to tell which entries are small.
    """

    A: np.ndarray
    b: np.ndarray
    c: np.ndarray
    tau: float
    broken: float = 0.0
    scale: np.ndarray | float = 1.0
    time: float = 1.0

    def displacement(self, q, t=0.0):
        """δq at one state `[d]`."""
        return jnp.asarray(self.A) @ q + self.b + self.c * t

    @property
    def counting(self):
        """Which entries of (b, A, c) `[d, d + 2]`, and whether τ, are not small."""
        scale = np.broadcast_to(self.scale, len(self.b))
        entries = np.column_stack([self.b, self.A, self.c])
        natural = np.abs(entries * [1.0, *scale, self.time] / scale[:, None])
        least = SMALL * max(natural.max(), abs(self.tau) / self.time)
        return natural > least, abs(self.tau) / self.time > least

    @property
    def boosts(self):
        """Whether the displacement grows with time."""
        return bool(self.counting[0][:, -1].any())

    def __str__(self):
        return self._written(lambda k: f"q[{k}]", str, ", time by ")

    def latex(self, names=None):
        """The displacement in LaTeX, without dollars; names of the coordinates in LaTeX."""
        name = partial(libraries.coordinate, names=names)
        return self._written(name, libraries.number, r",\ \text{time by } ")

    def _written(self, name, number, clock):
        told = np.column_stack([self.b, self.A, self.c])
        of = ["", *map(name, range(len(self.b))), "t"]
        counts, clocked = self.counting
        entries = [
            _sum([(x, of[k]) for k, x in enumerate(row) if which[k]], number)
            for row, which in zip(told, counts, strict=True)
        ]
        return f"({', '.join(entries)})" + (clock + number(f"{self.tau:.3g}") if clocked else "")


SMALL = 0.01
"""Entries smaller than this, of the largest one in units of the motion, are not written."""


@dataclass(frozen=True, eq=False)
class Symmetries:
    """What `symmetries` found.

    Args:
        found: the symmetries, each a `Symmetry`, in a basis that can be read: each has an entry of
            one where the others have zero.
        singular_values: of the map from displacements, falling; one for each displacement of a
            basis. A displacement of the size of the motion changes its accelerations by so much of
            their size.
        tolerance: what lies below it counts as zero.
        of: a name in `KINDS`.
        conserved: for a Lagrangian, a function for each symmetry, `(q, q_dot)` or where it depends
            on time `(q, q_dot, t)`, that is constant along motions; None where K was not found.
    """

    found: tuple[Symmetry, ...]
    singular_values: np.ndarray
    tolerance: float
    of: str
    conserved: tuple

    def __len__(self):
        return len(self.found)

    def __str__(self):
        values = ", ".join(f"{x:.2g}" for x in self.singular_values)
        told = [f"singular values: {values}; {len(self)} below {self.tolerance:g}"]
        return "\n".join([*told, *(f"q + ε {one}" for one in self.found)])


def symmetries(function, states, *, angles=(), tolerance=0.1, times=None):
    r"""Find the affine symmetries of accelerations, or of a Lagrangian with what they conserve.

    The columns are in units of the motion: a displacement has the coordinates' spread, over a time
    in which a typical motion passes it, and what it does is compared with typical accelerations.
    A singular value is then the root mean square of what is left over the states. For a closed form
    the zero ones are rounding; for a network they are what it has learned inexactly, a few times
    its relative error. What is below the tolerance is counted, so that **a symmetry that is broken
    by less is counted too**: look at the values.

    An angle has no multiples on its circle: nothing is displaced in proportion to it.

    For a Lagrangian the conserved quantity of a symmetry is Noether's,

        p·δq − τ E − K,        where D𝓛 · (δq, δq̇, τ) = dK/dt along all motions,

    E being the energy. K is zero where 𝓛 itself does not change; a learned 𝓛 has gauge terms of its
    own, and a boost or a magnetic field have one by their nature. Its gradient is known at every
    state, and K is fitted to it as a polynomial of up to the sixth degree (of angles, a
    trigonometric one).

    Args:
        function: an acceleration `(q, q_dot) -> [d]`, or a Lagrangian `(q, q_dot) -> scalar`, with
            the context after these where states have one; of `t` too, if it depends on time.
        states: `(q [n, d], q_dot [n, d])`, or with a context `[n, c]` as a third.
        angles: which coordinates are angles `[d]`.
        tolerance: the largest singular value that counts as zero.
        times: of the states `[n]`, for a function of `t`.

    Returns:
        `Symmetries`. A translation of time is among them only where the function has a `t`: all
        others have it, and conserve their energy, without asking.

    Raises:
        TypeError, ValueError: what is not states or such a function; too few states; a function
            that is not finite; a Lagrangian whose mass matrix is singular.

    Source: Noether (1918), Olver (1993), Section 5.3; finding the generators of a learned function
    from a null space is also in Otto et al. (2023).

    >>> free = lambda q, q_dot: 0.5 * q_dot @ q_dot - 4.9 * (q @ q) ** 2
    >>> key = jax.random.key(0)
    >>> states = jax.random.normal(key, (2, 100, 2))
    >>> print(symmetries(free, states).found[0])
    (-q[1], q[0])
    """
    _inputs.positive(tolerance=tolerance)
    _inputs.function("function", function)
    states = States.of(states, angles)
    d = states.q.shape[1]
    timed = mechanics.takes_time(function)
    times = _times(times, timed, states)
    known = _with_time(states.beside(function), timed)
    scalar = _is_scalar(known, states)
    basis = _basis(states, timed)
    if len(states.q) * d < 2 * len(basis[0]):
        raise ValueError(
            f"expected at least {2 * len(basis[0])} states for {len(basis[0])} displacements, got "
            f"{len(states.q)}"
        )
    with integrate.double_precision():
        rows = (_rows_of_lagrangian if scalar else _rows_of_motion)(known, states, times, basis)
    bad = int((~np.isfinite(rows).all(axis=(1, 2))).sum())
    if bad:
        raise ValueError(
            f"expected a function that is finite with its derivatives, but it is not at {bad} of "
            f"{len(rows)} states: leave these out"
        )
    flat = np.moveaxis(rows, 1, 2).reshape(-1, len(basis[0])) / np.sqrt(len(rows))
    values, directions = np.linalg.svd(flat, full_matrices=False)[1:]
    count = int((values < tolerance).sum())
    null = _readable(directions[len(values) - count :])
    found = []
    for direction in null:
        A, b, c, tau = (np.tensordot(direction, x, 1) for x in basis)
        size = max(np.abs(x).max() for x in (A, b, c, tau))
        broken = np.linalg.norm(flat @ direction) / np.linalg.norm(direction)
        sizes = states.scale, states.time
        found.append(Symmetry(A / size, b / size, c / size, tau / size, float(broken), *sizes))
    conserved = ()
    if scalar:
        conserved = tuple(
            conserved_by(known, states, times, one, timed, tolerance) for one in found
        )
    return Symmetries(tuple(found), values, tolerance, KINDS[scalar], conserved)


# --- Columns -----------------------------------------------------------------------------------


def _basis(states, timed):
    """Displacements of the size of the motion: `(A [k, d, d], b [k, d], c [k, d], tau [k])`."""
    scale, T, d = states.scale, states.time, states.q.shape[1]
    found = []

    def add(A=0.0, b=0.0, c=0.0, tau=0.0):
        zero = np.zeros((d, d))
        found.append((zero + A, zero[0] + b, zero[0] + c, tau))

    one = np.eye(d)
    for j in np.flatnonzero(~states.angles):
        for i in range(d):
            add(A=np.outer(one[i], one[j]) * scale[i] / scale[j])
    for i in range(d):
        add(b=one[i] * scale[i])
    for i in range(d):
        add(c=one[i] * scale[i] / T)
    if timed:
        add(tau=T)
    return tuple(np.stack(x) for x in zip(*found, strict=True))


def _rows_of_motion(acceleration, states, times, basis):
    """What displacements do to the accelerations, but for what they should `[n, k, d]`."""

    def row(q, q_dot, context, t):
        def column(*displaced):
            a, change = pushed(acceleration, q, q_dot, context, t, displaced)
            return displaced[0] @ a - change

        return jax.vmap(column)(*map(jnp.asarray, basis)), acceleration(q, q_dot, context, t)

    rows, a = jax.jit(jax.vmap(row))(*states.arrays(), jnp.asarray(times))
    return np.asarray(rows) / _size(np.asarray(a), states)


def _rows_of_lagrangian(lagrangian, states, times, basis):
    """What is left of 𝓛's change in M⁻¹ M′ and M⁻¹ F′ `[n, k, d² + d]`."""

    def equation(function, q, q_dot, t):
        return mechanics.equation_of_motion(lambda q, q_dot, t: function(q, q_dot, t))(q, q_dot, t)

    def row(q, q_dot, context, t):
        mass, force = equation(lambda q, q_dot, t: lagrangian(q, q_dot, context, t), q, q_dot, t)

        def column(*displaced):
            def change(q, q_dot, t):
                return pushed(lagrangian, q, q_dot, context, t, displaced)[1]

            of_mass, of_force = equation(change, q, q_dot, t)
            return jnp.linalg.solve(mass, jnp.column_stack([of_mass, of_force]))

        return jax.vmap(column)(*map(jnp.asarray, basis)), jnp.linalg.solve(mass, force), mass

    found = jax.jit(jax.vmap(row))(*states.arrays(), jnp.asarray(times))
    rows, a, mass = map(np.asarray, found)
    _require_regular(mass * states.scale * states.scale[:, None])
    size = _size(a, states)
    of_mass = rows[..., :-1] * states.scale / states.scale[:, None]
    return np.concatenate([of_mass.reshape(*of_mass.shape[:2], -1), rows[..., -1] / size], axis=-1)


def _require_regular(mass):
    """Raise where a mass matrix, in units of the motion, is singular."""
    finite = np.isfinite(mass).all(axis=(1, 2))
    sigma = np.linalg.svd(mass[finite], compute_uv=False)
    singular = int((sigma[:, -1] <= 1e-13 * sigma[:, 0]).sum())
    if singular:
        raise ValueError(
            f"expected a Lagrangian that gives every coordinate its motion, but its mass matrix is "
            f"singular at {singular} of {len(mass)} states: leave these out, or take another one"
        )


def _size(q_ddot, states):
    """Typical accelerations of each coordinate `[d]`, in the units of its spread alike."""
    relative = np.sqrt(np.nanmean((q_ddot / states.scale) ** 2))
    return states.scale * max(relative, 1e-3 / states.time**2)


def _readable(directions):
    """A basis of the same space in which each vector has a one where the others have zero.

    That is the first large entry, and not the largest, which rounding would choose among equals.
    """
    found = np.array(directions)
    for k in range(len(found)):
        size = np.abs(found[k:]).max(axis=0)
        j = (size > 0.5 * size.max()).argmax()
        i = np.abs(found[k:, j]).argmax()
        found[[k, k + i]] = found[[k + i, k]]
        found[k] /= found[k, j]
        others = np.arange(len(found)) != k
        found[others] -= np.outer(found[others, j], found[k])
    return found


# --- The door ----------------------------------------------------------------------------------


def _times(times, timed, states):
    """Times of the states `[n]`: those given, or random ones about 0 where none count."""
    if timed:
        if times is None:
            raise ValueError("expected times of the states, [n], for a function of t")
        times = np.asarray(times, float)
        if times.shape != (len(states.q),) or not np.isfinite(times).all():
            raise ValueError(f"expected finite times of shape [{len(states.q)}], got {times.shape}")
        return times
    if times is not None:
        raise ValueError("expected no times: the function does not depend on t")
    return np.random.default_rng(0).uniform(-states.time, states.time, len(states.q))


def _with_time(function, timed):
    """A function of `(q, q_dot, context, t)`."""
    if timed:
        return lambda q, q_dot, context, t: function(q, q_dot, context, t=t)
    return lambda q, q_dot, context, t: function(q, q_dot, context)


def _is_scalar(function, states):
    """Whether a function is a Lagrangian, and not an acceleration; raise if it is neither."""
    with integrate.double_precision():
        state = [None if x is None else x[0] for x in states.arrays()]
        found = jax.eval_shape(function, *state, jnp.zeros(()))
    shape = getattr(found, "shape", None)
    if shape not in ((), states.q.shape[1:]):
        raise ValueError(
            f"expected a Lagrangian, a scalar, or an acceleration of shape {states.q.shape[1:]}, "
            f"got {shape or type(found).__name__}"
        )
    return shape == ()


def _sum(parts, number):
    """A sum of multiples, such as `q[1] - 2 t`."""
    told = ""
    for x, of in parts:
        size = number(f"{abs(x):.3g}")
        size = of if of and size == "1" else f"{size} {of}".strip()
        told += (" - " if x < 0 else " + ") + size
    told = f"-{told[3:]}" if told.startswith(" - ") else told.removeprefix(" + ")
    return told or "0"
