"""What is around what: the nodes of a ring, a line, a membrane or any graph."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import jax.numpy as jnp
import numpy as np
import scipy.sparse

from lnn_tutorial import _inputs


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
            object.__setattr__(self, "stencil", whole_offsets(self.stencil))
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


def require_neighbourhoods(nodes):
    """Refuse nodes that are no `Neighbourhoods`."""
    if not isinstance(nodes, Neighbourhoods):
        raise TypeError(f"expected nodes to be Neighbourhoods, got {type(nodes).__name__}")


def whole_offsets(stencil):
    """A stencil as a tuple of whole numbers, or what it is instead."""
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
    stencil = whole_offsets(stencil)
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
