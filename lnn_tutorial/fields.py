r"""Fields: a Lagrangian that is a sum over neighbourhoods, and its accelerations in linear time.

A field has one value φᵢ at each node. The same density ℓ looks at the few nodes Nᵢ around each,

    𝓛(φ, φ̇) = Σᵢ ℓ(φ[Nᵢ], φ̇[Nᵢ]),

and the rows Nᵢ of an array of indices say what is around what: a ring, a membrane, any graph. A
density is a Lagrangian of k coordinates as `mechanics` takes it, written down or learned::

    string = lambda phi, phi_dot: 0.5 * phi_dot[1] ** 2 - 0.5 * (phi[2] - phi[1]) ** 2
    acceleration(string, ring(100))(phi, phi_dot)      # [100]

Each neighbourhood adds the k × k mass matrix of ℓ to that of 𝓛, which is therefore sparse: on a
ring of three-node neighbourhoods it has five entries in a row. Time and memory grow with the
number of nodes and no faster.
"""

from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse

from lnn_tutorial import _inputs, integrate, mechanics, models

BLOCK = 16384
"""How many neighbourhoods are worked on at a time; this bounds the memory."""


# --- Neighbourhoods ----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """Which nodes each neighbourhood holds.

    Args:
        index: whole numbers `[m, k]`, the nodes of each of m neighbourhoods. A node may stand in a
            row twice, as at the end of a line, where the missing neighbour is the end itself.
        stencil: for a ring, the k offsets from node i of its neighbourhood; they make the mass
            matrix banded. None for any other graph.

    Raises:
        TypeError, ValueError: an index or offset that is not a whole number, a negative index, a
            node that no neighbourhood holds.
    """

    index: np.ndarray
    stencil: tuple[int, ...] | None = None

    def __post_init__(self):
        index = np.asarray(self.index)
        if index.ndim != 2 or index.size == 0:
            raise ValueError(f"expected neighbourhoods of shape [m, k], got {index.shape}")
        if not np.issubdtype(index.dtype, np.integer):
            raise TypeError(f"expected indices of nodes, whole numbers, got {index.dtype}")
        if index.min() < 0:
            raise ValueError(f"expected indices of nodes from 0 on, got {index.min()}")
        alone = np.flatnonzero(np.bincount(index.ravel()) == 0)
        if alone.size:
            raise ValueError(
                f"expected every node in some neighbourhood, but none holds {_some(alone)}"
            )
        if self.stencil is not None:
            object.__setattr__(self, "stencil", _offsets(self.stencil))
            around = (np.arange(len(index))[:, None] + self.stencil) % len(index)
            if not np.array_equal(index, around):
                raise ValueError(f"expected the rows of a ring for the stencil {self.stencil}")
        object.__setattr__(self, "index", index.astype(np.int32))

    @cached_property
    def size(self):
        """The number of nodes n."""
        return int(self.index.max()) + 1

    @property
    def points(self):
        """The number of nodes k in a neighbourhood."""
        return self.index.shape[1]

    @cached_property
    def edges(self):
        """Pairs of a node and another one of its neighbourhood, a tuple without repetitions.

        These are the springs of `ring`, `line`, `membrane` and `graph`, whose row i is the
        neighbourhood of node i. Of other rows nobody can say which node is in the middle, unless
        they hold two.

        Raises:
            ValueError: rows of which row i does not hold node i.
        """
        centres = np.arange(len(self.index))[:, None]
        if self.points == 2:
            centres = self.index[:, :1]
        elif len(self.index) != self.size or not (self.index == centres).any(axis=1).all():
            raise ValueError(
                "expected row i to be the neighbourhood of node i: of other rows of more than two "
                "nodes the edges are not known"
            )
        pairs = np.stack([np.broadcast_to(centres, self.index.shape), self.index], -1)
        pairs = np.unique(np.sort(pairs.reshape(-1, 2), axis=1), axis=0)
        return tuple((int(i), int(j)) for i, j in pairs if i != j)

    @cached_property
    def pattern(self):
        """Rows and columns of the entries of the mass matrix that may differ from zero, sorted."""
        rows, columns = (
            np.broadcast_to(x, (*self.index.shape, self.points)).ravel()
            for x in (self.index[:, :, None], self.index[:, None, :])
        )
        return np.divmod(np.unique(rows.astype(np.int64) * self.size + columns), self.size)

    @cached_property
    def colours(self):
        """A colour for each node, `[n]`: no two of a colour meet in any row of the mass matrix.

        On a ring of three-node neighbourhoods that takes five colours where five divides n, and
        six where it does not (for n ≥ 20).
        """
        if self.stencil is not None:
            reach = 2 * (max(self.stencil) - min(self.stencil)) + 1
            blocks = max(1, self.size // reach)
            edges = np.arange(blocks + 1) * self.size // blocks
            return np.concatenate([np.arange(stop - start) for start, stop in pairwise(edges)])
        return _greedy_colours(self.size, *self.pattern)

    def gather(self, x):
        """The values in each neighbourhood: `[n] -> [m, k]`."""
        if self.stencil is not None:
            return jnp.stack([jnp.roll(x, -offset) for offset in self.stencil], axis=1)
        return x[self.index]

    def scatter(self, parts):
        """What each node gets from all neighbourhoods: `[m, k] -> [n]`, the transpose."""
        if self.stencil is not None:
            return sum(jnp.roll(parts[:, a], offset) for a, offset in enumerate(self.stencil))
        return jnp.zeros(self.size, parts.dtype).at[self.index].add(parts)


def _offsets(stencil):
    offsets = np.asarray(stencil)
    if offsets.ndim != 1 or not np.issubdtype(offsets.dtype, np.integer):
        raise TypeError(f"expected a stencil of offsets, whole numbers, got {stencil!r}")
    return tuple(offsets.tolist())


def _some(indices):
    shown = ", ".join(str(i) for i in indices[:3])
    return f"node {shown}" if len(indices) == 1 else f"nodes {shown}{', …' * (len(indices) > 3)}"


def _greedy_colours(n, rows, columns):
    pattern = scipy.sparse.csr_array((np.ones(len(rows), np.int32), (rows, columns)), (n, n))
    meets = (pattern.T @ pattern).tocsr()
    colours = np.full(n, -1)
    for node, (start, stop) in enumerate(pairwise(meets.indptr)):
        taken = np.sort(np.unique(colours[meets.indices[start:stop]]))
        taken = taken[taken >= 0]
        free = np.flatnonzero(taken != np.arange(len(taken)))
        colours[node] = free[0] if free.size else len(taken)
    return colours


def ring(n, stencil=(-1, 0, 1)):
    """Nodes 0 … n − 1 in a circle; the neighbourhood of i is i + the stencil.

    Raises:
        TypeError, ValueError: offsets that are not whole numbers, a ring shorter than they reach.
    """
    _inputs.count(n=n)
    stencil = _offsets(stencil)
    reach = max(stencil) - min(stencil) + 1
    if n < reach:
        raise ValueError(f"expected a ring of at least {reach} nodes for {stencil}, got {n}")
    return Neighbourhoods((np.arange(n)[:, None] + stencil) % n, stencil)


def line(n):
    """Nodes 0 … n − 1 in a row, three in a neighbourhood; both ends are free.

    The missing neighbour of an end is the end itself.
    """
    _inputs.count(2, n=n)
    return Neighbourhoods(np.clip(np.arange(n)[:, None] + [-1, 0, 1], 0, n - 1))


def membrane(rows, columns):
    """A grid whose opposite edges are joined; a neighbourhood is a node, left, right, up, down.

    Node (r, c) has the number r · columns + c.
    """
    _inputs.count(3, rows=rows, columns=columns)
    number = np.arange(rows * columns).reshape(rows, columns)
    moves = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))
    return Neighbourhoods(np.stack([np.roll(number, move, (0, 1)).ravel() for move in moves], 1))


def graph(n, edges):
    """Any graph; a neighbourhood is a node and its neighbours, filled up with the node itself.

    Args:
        n: number of nodes.
        edges: pairs of nodes `[e, 2]`.

    Raises:
        ValueError: an edge to a node that is not there, a node without an edge.
    """
    _inputs.count(2, n=n)
    edges = np.asarray(edges)
    if (
        edges.ndim != 2
        or edges.shape[1] != 2
        or edges.size == 0
        or not np.issubdtype(edges.dtype, np.integer)
    ):
        raise ValueError(f"expected edges as pairs of nodes [e, 2], got {edges.dtype}{edges.shape}")
    if edges.min() < 0 or edges.max() >= n:
        raise ValueError(f"expected nodes from 0 to {n - 1}, got {edges.min()} to {edges.max()}")
    both = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
    both = both[both[:, 0] != both[:, 1]]
    degree = np.bincount(both[:, 0], minlength=n)
    if not degree.all():
        raise ValueError(
            f"expected an edge at every node, got none at {_some(np.flatnonzero(degree == 0))}"
        )
    index = np.tile(np.arange(n)[:, None], (1, 1 + degree.max()))
    slot = 1 + np.arange(len(both)) - np.repeat(np.cumsum(degree) - degree, degree)
    index[both[:, 0], slot] = both[:, 1]
    return Neighbourhoods(index)


# --- The Lagrangian of a field -----------------------------------------------------------------


def lagrangian(density, nodes):
    """𝓛 = Σᵢ ℓ(φ[Nᵢ], φ̇[Nᵢ]).

    Args:
        density: function `(phi [k], phi_dot [k]) -> scalar`.
        nodes: `Neighbourhoods` of k points.

    Returns:
        Function `(phi [n], phi_dot [n]) -> scalar`.

    Raises:
        TypeError, ValueError: no density, one that depends on time, no `Neighbourhoods`; when
            called, a field of another length.
        IndexError: a density that reads `phi[i]` or `phi_dot[i]` of an i beyond its k points. It
            is found where the density indexes its arguments themselves; of what is computed from
            them, JAX takes the last entry for one beyond.
    """
    _door(density, nodes)
    return _sum(density, nodes)


def energy(density, nodes):
    """E = φ̇·∂𝓛/∂φ̇ − 𝓛, the sum of what `mechanics.energy` says of each neighbourhood."""
    _door(density, nodes)
    return _sum(mechanics.energy(density), nodes)


def _sum(scalar, nodes):
    return lambda phi, phi_dot: _each(scalar, nodes, *_field(nodes, phi, phi_dot)).sum()


def _require_neighbourhoods(nodes):
    if not isinstance(nodes, Neighbourhoods):
        raise TypeError(f"expected nodes to be Neighbourhoods, got {type(nodes).__name__}")


def _door(density, nodes):
    _require_neighbourhoods(nodes)
    _require_points(density, nodes.points)


def _require_points(density, k):
    """Refuse what is no density of k points: JAX reads the last entry for any beyond it."""
    _inputs.function("density", density)
    _require_no_time("density", density)
    try:
        with np.errstate(all="ignore"):  # NumPy's arrays know where they end; nothing is computed
            jax.eval_shape(lambda: density(*np.zeros((2, k))))
    except IndexError as error:
        raise IndexError(f"expected a density of {k} points, got one of more: {error}") from error
    except Exception:  # what only JAX's arrays can do: the call itself will tell
        return


def _require_no_time(name, function):
    if mechanics.takes_time(function):
        raise ValueError(f"expected a {name} without explicit time, got one with an argument t")


def _field(nodes, phi, phi_dot):
    phi, phi_dot = _inputs.state(phi, phi_dot, names=("phi", "phi_dot"))
    return _values("phi", nodes, phi), phi_dot


def _values(name, nodes, x):
    x = _inputs.vector(name, x)
    if x.shape != (nodes.size,):
        raise ValueError(f"expected {name}, a field on {nodes.size} nodes, got shape {x.shape}")
    return x


def _blocks(nodes, blocks):
    _require_neighbourhoods(nodes)
    blocks, expected = _inputs.array("blocks", blocks), (*nodes.index.shape, nodes.points)
    if blocks.shape != expected:
        raise ValueError(f"expected blocks of shape {expected}, got {blocks.shape}")
    return blocks


def _each(function, nodes, *fields):
    """A function of one neighbourhood at all of them, a block at a time."""
    parts = tuple(nodes.gather(x) for x in fields)
    if len(nodes.index) <= BLOCK:
        return jax.vmap(function)(*parts)
    return jax.lax.map(lambda part: function(*part), parts, batch_size=BLOCK)


# --- Accelerations -----------------------------------------------------------------------------


def equation_of_motion(density, nodes):
    r"""The Euler–Lagrange equation M φ̈ = F of a field, with M in blocks, one a neighbourhood.

    M = Σᵢ Mᵢ and F = Σᵢ Fᵢ, where Mᵢ and Fᵢ are those of ℓ, see `mechanics.equation_of_motion`:
    k + 1 tangents for each neighbourhood, however many nodes there are.

    Args:
        density: function `(phi [k], phi_dot [k]) -> scalar`.
        nodes: `Neighbourhoods` of k points.

    Returns:
        Function `(phi [n], phi_dot [n]) -> (blocks [m, k, k], F [n])`.

    Raises: as `lagrangian`.
    """
    _door(density, nodes)
    of_one = mechanics.equation_of_motion(density)

    def field(phi, phi_dot):
        blocks, forces = _each(of_one, nodes, *_field(nodes, phi, phi_dot))
        return blocks, nodes.scatter(forces)

    return field


def mass_times(blocks, nodes, x):
    """M x `[n]`, from the blocks of `equation_of_motion`.

    Raises:
        TypeError, ValueError: blocks of other nodes, an x that is no field on them.
    """
    blocks = _blocks(nodes, blocks)
    return _times(blocks, nodes, _values("x", nodes, x))


def _times(blocks, nodes, x):
    return nodes.scatter(jnp.einsum("mab,mb->ma", blocks, nodes.gather(x)))


def mass_matrix(blocks, nodes):
    """M `[n, n]` as a full array, from the blocks of `equation_of_motion`; for a small n only.

    Raises:
        TypeError, ValueError: blocks of other nodes.
    """
    blocks = _blocks(nodes, blocks)
    rows, columns = nodes.index[:, :, None], nodes.index[:, None, :]
    return jnp.zeros((nodes.size, nodes.size), blocks.dtype).at[rows, columns].add(blocks)


def coloured_hessian(lagrangian, nodes):
    r"""The entries of M = ∂²𝓛/∂φ̇∂φ̇ᵀ by one Hessian–vector product for each colour.

    Nodes of one colour share no row of M, so that one product with the sum of their unit vectors
    gives all their columns at once: five forward-over-backward passes on a ring whose length five
    divides, whatever that length is. 𝓛 is only evaluated: nothing need be known of its density.
    One more product, along a random direction, finds out whether 𝓛 couples others than neighbours.

    Args:
        lagrangian: function `(phi [n], phi_dot [n]) -> scalar` that couples neighbours only.
        nodes: `Neighbourhoods`.

    Returns:
        Function `(phi, phi_dot) -> entries`, in the order of `nodes.pattern`.

    Raises:
        ValueError: when called, a field of another length, an 𝓛 that couples more than neighbours
            (inside of `jit` or `vmap` the entries are NaN).

    Source: Cranmer et al. (2020), Section 5; the idea is Curtis, Powell & Reid's (1974).
    """
    _inputs.function("lagrangian", lagrangian)
    _require_no_time("Lagrangian", lagrangian)
    _require_neighbourhoods(nodes)
    momentum = jax.grad(lagrangian, argnums=1)
    rows, columns = nodes.pattern
    random = np.random.default_rng(0).normal(size=nodes.size)
    picked = np.arange(nodes.colours.max() + 1)[:, None] == nodes.colours
    directions = np.vstack([picked, random])

    def field(phi, phi_dot):
        phi, phi_dot = _field(nodes, phi, phi_dot)

        def product(direction):
            return jax.jvp(lambda v: momentum(phi, v), (phi_dot,), (direction,))[1]

        *products, along = jax.lax.map(product, jnp.asarray(directions, phi.dtype))
        entries = jnp.stack(products)[nodes.colours[columns], rows]
        known = jnp.zeros_like(along).at[rows].add(entries * directions[-1][columns])
        size = nodes.points * jnp.abs(entries).max() + jnp.abs(along).max()
        limit = float(jnp.finfo(phi.dtype).eps) ** 0.5
        entries = jnp.where(jnp.abs(known - along).max() <= limit * size, entries, jnp.nan)
        if not _finite(entries):
            raise ValueError(
                "expected a Lagrangian that couples neighbours only: its Hessian has entries "
                "outside of their pattern, or is not finite"
            )
        return entries

    return field


def acceleration(density, nodes, solve=None):
    r"""φ̈ of a field, from M φ̈ = F in a time linear in the number of nodes.

    As in `mechanics.acceleration` the derivative comes from the implicit function theorem: one
    Newton step −M⁻¹ dR, with R the Euler–Lagrange residual.

    Args:
        density: function `(phi [k], phi_dot [k]) -> scalar`.
        nodes: `Neighbourhoods` of k points.
        solve: a name in `SOLVERS`; by default `"banded"` on a ring and `"cg"` elsewhere.
            `"banded"` eliminates directly and needs a ring; `"cg"` iterates on M x and needs M
            positive definite; `"dense"` is for comparison. Whatever comes back solves M φ̈ = F: an
            indefinite M either has its answer from `"cg"` or is reported. Where a singular M leaves
            several answers, it is one of them; on few nodes
            `mechanics.condition_number(lagrangian(density, nodes))` tells.

    Returns:
        Function `(phi [n], phi_dot [n]) -> phi_ddot [n]`.

    Raises:
        TypeError, ValueError: as `lagrangian`; a solver that the nodes do not allow.
        IndexError: as `lagrangian`.
        FloatingPointError: M could not be solved, being singular or, for `"cg"`, indefinite
            (inside of `jit` or `vmap` the values are NaN).

    Source: Cranmer et al. (2020), Section 5, Eq. 6 and 8.
    """
    _require_neighbourhoods(nodes)
    if solve is None:
        solve = "cg" if nodes.stencil is None else "banded"
    _inputs.choice("solve", solve, SOLVERS)
    if solve == "banded" and nodes.stencil is None:
        raise ValueError("expected a ring for solve='banded'; other graphs take 'cg'")
    motion, residual = equation_of_motion(density, nodes), euler_lagrange(density, nodes)

    @jax.jit
    def solution(phi, phi_dot):
        blocks, force = motion(phi, phi_dot)
        phi_ddot = _solved(SOLVERS[solve], nodes, blocks, force)
        left = residual(phi, phi_dot, mechanics._held(phi_ddot))
        return _implicit(SOLVERS[solve], nodes, phi_ddot, blocks, left)

    def field(phi, phi_dot):
        phi_ddot = solution(*_field(nodes, phi, phi_dot))
        if not _finite(phi_ddot):
            raise FloatingPointError(
                f"the mass matrix of the field could not be solved by {solve!r}: it is singular"
                + (" or not positive definite" if solve == "cg" else "")
            )
        return phi_ddot

    return field


def _finite(x):
    return isinstance(x, jax.core.Tracer) or bool(jnp.isfinite(x).all())


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _implicit(solver, nodes, phi_ddot, blocks, residual):
    """φ̈ as the root of R(φ̈) = 0, as `mechanics` has it: dφ̈ = −M⁻¹ dR."""
    return phi_ddot


@_implicit.defjvp
def _(solver, nodes, primals, tangents):
    return primals[0], -_solved(solver, nodes, primals[1], tangents[2])


def euler_lagrange(density, nodes):
    """R = d/dt ∂𝓛/∂φ̇ − ∂𝓛/∂φ `[n]`, of `(phi, phi_dot, phi_ddot)`; see `mechanics`.

    Raises: as `lagrangian`.
    """
    _door(density, nodes)
    of_one = mechanics.euler_lagrange(density)

    def field(phi, phi_dot, phi_ddot):
        phi, phi_dot = _field(nodes, phi, phi_dot)
        phi_ddot = _values("phi_ddot", nodes, phi_ddot)
        return nodes.scatter(_each(of_one, nodes, phi, phi_dot, phi_ddot))

    return field


def dispersion(density, stencil=(-1, 0, 1), rest=0.0):
    r"""ω(k) of small waves e^{i(kj − ωt)} about a field at rest, on a ring of any length.

    Near rest the Euler–Lagrange equation is M φ̈ + G φ̇ + K φ = 0, with the Hessians of ℓ there,
    M = ∂²ℓ/∂φ̇∂φ̇ᵀ, K = −∂²ℓ/∂φ∂φᵀ and G = C − Cᵀ, C = ∂²ℓ/∂φ̇∂φᵀ. A wave turns each of them into
    a number, M̂(k) = Σ_ab M_ab e^{ik(s_b − s_a)} with the offsets s of the stencil, and

        ω² M̂ + iω Ĝ − K̂ = 0.

    Ĝ is imaginary and odd in k: where it is not 0, waves to the left and to the right differ.

    Args:
        density: function `(phi [k], phi_dot [k]) -> scalar`.
        stencil: the offsets of the k points.
        rest: the value φ that all nodes rest at. It should be an equilibrium: at another one
            nothing stays, and ω(k) is only the curvature of ℓ there.

    Returns:
        Function from wavenumbers, in radians a node and of any shape, to ω in radians a second of
        the wave that runs towards larger j for k > 0; NaN where such a wave does not oscillate.
    """
    stencil = _offsets(stencil)
    _inputs.number(rest=rest)
    _require_points(density, len(stencil))
    at_rest = jnp.full(len(stencil), float(rest)), jnp.zeros(len(stencil))
    (curvature, _), (mixed, mass) = jax.jit(jax.hessian(density, argnums=(0, 1)))(*at_rest)
    offsets = jnp.asarray(stencil)
    apart = offsets[None, :] - offsets[:, None]

    def omega(k):
        wave = jnp.exp(1j * jnp.asarray(k)[..., None, None] * apart)
        m, g, stiffness = (
            jnp.sum(x * wave, axis=(-2, -1)) for x in (mass, mixed - mixed.T, -curvature)
        )
        m, g, stiffness = m.real, g.imag, stiffness.real
        return (g + jnp.sqrt(g**2 + 4 * m * stiffness) * jnp.sign(m)) / (2 * m)

    return omega


@dataclass(frozen=True, eq=False)
class LagrangianGraphNetwork:
    """A learned density on given nodes, with the face of a model: parameters and a field in.

    The parameters are those of the density alone: learned on one graph, they serve on any other.

    Args:
        model: a model of `models` that learns a Lagrangian, with a coordinate for each point of a
            neighbourhood.
        nodes: `Neighbourhoods`.

    Raises:
        TypeError, ValueError: a model without a Lagrangian or with more beside it (a context, a
            force), another number of coordinates, no `Neighbourhoods`.

    Source: Cranmer et al. (2020), Section 5, Eq. 7.
    """

    model: models.Model
    nodes: Neighbourhoods

    def __post_init__(self):
        if not hasattr(self.model, "lagrangian"):
            raise TypeError(f"expected a model with a Lagrangian, got {type(self.model).__name__}")
        _require_neighbourhoods(self.nodes)
        for name in ("context", "force"):
            if getattr(self.model, name, None):
                raise ValueError(
                    f"expected a model that is a Lagrangian alone: a field has no {name}"
                )
        if self.model.dim != self.nodes.points:
            raise ValueError(
                f"expected a model with dim={self.nodes.points}, one coordinate for each point of "
                f"a neighbourhood, got dim={self.model.dim}"
            )

    def init(self, key):
        """Draw parameters. Args: a JAX random key. Returns: a pytree."""
        return self.model.init(key)

    def lagrangian(self, params, phi, phi_dot):
        """𝓛 of a field, a scalar in units of its own."""
        return lagrangian(partial(self.model.lagrangian, params), self.nodes)(phi, phi_dot)

    def energy(self, params, phi, phi_dot):
        """The learned energy of a field, a scalar."""
        return energy(partial(self.model.lagrangian, params), self.nodes)(phi, phi_dot)

    def acceleration(self, params, phi, phi_dot):
        """φ̈ `[n]` of a field, see `acceleration`."""
        return acceleration(partial(self.model.lagrangian, params), self.nodes)(phi, phi_dot)

    def rollout(self, params, phi, phi_dot, **steps):
        """The motion from one start: `integrate.rollout` with this model's acceleration."""
        return integrate.rollout(partial(self.acceleration, params), phi, phi_dot, **steps)


# --- Linear systems ----------------------------------------------------------------------------


def _solved(solver, nodes, blocks, force):
    """x of M x = force, NaN where the solver's answer does not solve it.

    The solver gets M and the force in units, powers of two, in which their largest entries are
    near one: those of 𝓛, of length and of time are all the same to it.
    """

    def solve(_, force):
        unit_of_mass, unit_of_force = _exponent(blocks), _exponent(force)
        scaled, right = _times_2_to(-unit_of_mass, blocks), _times_2_to(-unit_of_force, force)
        x = solver(scaled, nodes, right)
        size = jnp.abs(right).max() + jnp.abs(scaled).max() * jnp.abs(x).max()
        limit = float(jnp.finfo(force.dtype).eps) ** 0.5
        left = jnp.abs(_times(scaled, nodes, x) - right).max()
        return _times_2_to(
            unit_of_force - unit_of_mass, jnp.where(left <= limit * size, x, jnp.nan)
        )

    return jax.lax.custom_linear_solve(partial(_times, blocks, nodes), force, solve, symmetric=True)


def _exponent(x):
    return jnp.frexp(jnp.abs(x).max())[1]


def _times_2_to(exponent, x):
    """2^exponent x, in two halves: each of them is a number, and nothing is lost between."""
    half, one = exponent // 2, jnp.ones((), x.dtype)
    return x * jnp.ldexp(one, half) * jnp.ldexp(one, exponent - half)


def _by_dense(blocks, nodes, force):
    return jnp.linalg.solve(mass_matrix(blocks, nodes), force)


def _by_cg(blocks, nodes, force):
    """Conjugate gradients, scaled by the diagonal of M."""
    times = partial(_times, blocks, nodes)
    diagonal = nodes.scatter(jnp.diagonal(blocks, axis1=1, axis2=2))
    tolerance = 10 * float(jnp.finfo(force.dtype).eps)
    return jax.scipy.sparse.linalg.cg(
        times, force, tol=tolerance, maxiter=1000, M=lambda x: x / diagonal
    )[0]


def _by_bands(blocks, nodes, force):
    """Direct elimination on a ring.

    A few nodes are taken out, so that the ring becomes a chain; their equations come last.
    """
    w = max(nodes.stencil) - min(nodes.stencil)
    b = max(w, 1)
    out = b + nodes.size % b
    if nodes.size < 8 * b:
        return _by_dense(blocks, nodes, force)
    bands, kept = _bands(blocks, nodes, w), nodes.size - out
    rows, (down, across) = bands[:kept].reshape(-1, b, 2 * w + 1), np.indices((b, b))

    def part(shift):
        """The blocks that lie `shift` blocks to the right of the diagonal."""
        offset = across - down + shift * b
        inside = np.abs(offset) <= w
        return jnp.where(inside, rows[:, down, np.where(inside, offset + w, 0)], 0)

    def entries(i, j):
        offset = (j - i + nodes.size // 2) % nodes.size - nodes.size // 2
        inside = np.abs(offset) <= w
        return jnp.where(inside, bands[i, np.where(inside, offset + w, 0)], 0)

    last, near = np.arange(kept, nodes.size), np.r_[:b, kept - b : kept]
    border = jnp.zeros((kept, out), bands.dtype).at[near].set(entries(near[:, None], last))
    right = jnp.column_stack([force[:kept], border]).reshape(-1, b, 1 + out)
    below, above = part(-1).at[0].set(0), part(1).at[-1].set(0)
    found = _chain(below, part(0), above, right).reshape(kept, -1)
    ahead, response = found[:, 0], found[:, 1:]
    corner = entries(last[:, None], last) - border.T @ response
    end = jnp.linalg.solve(corner, force[kept:] - border.T @ ahead)
    return jnp.concatenate([ahead - response @ end, end])


def _bands(blocks, nodes, w):
    """M[i, i + o] at `[i, w + o]`, for the offsets o = −w … w along a ring."""
    bands = jnp.zeros((nodes.size, 2 * w + 1), blocks.dtype)
    for a, here in enumerate(nodes.stencil):
        for b, there in enumerate(nodes.stencil):
            bands = bands.at[:, w + there - here].add(jnp.roll(blocks[:, a, b], here))
    return bands


def _chain(below, diagonal, above, right):
    """Block tridiagonal systems `[m, w, w]` by cyclic reduction, right-hand sides `[m, w, r]`.

    Every other block is eliminated at once; what remains is a chain of half the length.
    """
    m, w = diagonal.shape[:2]
    if m == 1:
        return jnp.linalg.solve(diagonal, right)
    odd, even = slice(1, None, 2), slice(0, None, 2)
    coupled = jnp.concatenate([below[odd], above[odd], right[odd]], axis=2)
    # what an odd block gets from its left neighbour, from its right one, and from outside
    answer = jnp.linalg.solve(diagonal[odd], coupled)
    none = jnp.zeros_like(answer[:1])
    before = below[even] @ jnp.concatenate([none, answer])[: (m + 1) // 2]
    after = above[even] @ jnp.concatenate([answer, none])[: (m + 1) // 2]
    leftward, rightward, outside = slice(0, w), slice(w, 2 * w), slice(2 * w, None)
    remaining = _chain(
        -before[..., leftward],
        diagonal[even] - before[..., rightward] - after[..., leftward],
        -after[..., rightward],
        right[even] - before[..., outside] - after[..., outside],
    )
    beyond = jnp.concatenate([remaining[1:], jnp.zeros_like(remaining[:1])])
    neighbours = jnp.concatenate([remaining, beyond], axis=1)[: m // 2]
    found = answer[..., outside] - answer[..., : 2 * w] @ neighbours
    return jnp.zeros_like(right).at[even].set(remaining).at[odd].set(found)


SOLVERS = {"banded": _by_bands, "cg": _by_cg, "dense": _by_dense}
"""Ways to solve M φ̈ = F by name, functions of the blocks, the nodes and F."""
