"""Fields: sparse accelerations against dense mechanics, on rings, lines, membranes and graphs."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnn_tutorial import fields, mechanics, models, systems, train
from lnn_tutorial.fields.solvers import solved

pytestmark = pytest.mark.usefixtures("float64")

BAR = [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [0, 3], [2, 5]]
PLACES = {
    **{f"ring of {n}": fields.ring(n) for n in (3, 4, 5, 10, 16, 17, 23)},
    "ring of wide neighbourhoods": fields.ring(37, (-2, -1, 0, 1, 2)),
    "ring of pairs": fields.ring(21, (0, 1)),
    "ring of single nodes": fields.ring(9, (0,)),
    "line": fields.line(9),
    "membrane": fields.membrane(3, 5),
    "graph": fields.graph(6, BAR),
}
everywhere = pytest.mark.parametrize("name", PLACES)


def learned(nodes, key=0):
    """A density that couples everything to everything in a neighbourhood."""
    model = models.LNN(dim=nodes.points, width=8, depth=1)
    params = jax.tree.map(lambda x: x.astype(float), model.init(jax.random.key(key)))
    return model, params


def tangled(weights, phi, phi_dot):
    """A density that couples everything to everything, without the layers of a network."""
    seen = jnp.concatenate([phi, phi_dot, phi * phi_dot])
    return 0.5 * phi_dot @ phi_dot + 0.1 * jnp.sin(weights @ seen).sum()


def weights(nodes):
    return np.random.default_rng(0).normal(size=(4, 3 * nodes.points))


def in_units(unit, length, weights):
    """The same motions with 𝓛 in another unit and φ in another unit of length."""
    return lambda *state: unit * tangled(weights, *(x / length for x in state))


def field(nodes, key=1):
    return np.random.default_rng(key).normal(size=(2, nodes.size))


def close(a, b, rtol=1e-9):
    np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * float(np.abs(b).max()))


def solvers(nodes):
    return list(fields.SOLVERS) if nodes.stencil else ["cg", "dense"]


@cache
def motion(name):
    """What a field does, compiled once, by `(unit, length, phi, phi_dot)`.

    The accelerations, first by the default solver, then the answers of the others; M, M φ and F.
    """
    nodes = PLACES[name]

    @jax.jit
    def found(unit, length, phi, phi_dot):
        density = in_units(unit, length, weights(nodes))
        blocks, force = fields.equation_of_motion(density, nodes)(phi, phi_dot)
        others = solvers(nodes)[1:]
        others = [solved(fields.SOLVERS[x], nodes, blocks, force) for x in others]
        accelerations = [fields.acceleration(density, nodes)(phi, phi_dot), *others]
        mass, times = fields.mass_matrix(blocks, nodes), fields.mass_times(blocks, nodes, phi)
        return accelerations, (mass, times, force)

    return found


@cache
def whole(name):
    """M, F, E and a φ, φ̇, from the Lagrangian of all coordinates and `mechanics` alone."""
    nodes = PLACES[name]
    lagrangian, state = fields.lagrangian(partial(tangled, weights(nodes)), nodes), field(nodes)

    @jax.jit
    def dense(phi, phi_dot):
        energy = mechanics.energy(lagrangian)(phi, phi_dot)
        return *mechanics.equation_of_motion(lagrangian)(phi, phi_dot), energy

    return *(np.asarray(x) for x in dense(*state)), *state


# --- The equation of motion --------------------------------------------------------------------


@everywhere
def test_every_solver_gives_the_acceleration_of_the_whole_lagrangian(name):
    mass, force, _, *state = whole(name)
    for found in motion(name)(1.0, 1.0, *state)[0]:
        close(found, np.linalg.solve(mass, force))


@everywhere
def test_mass_energy_and_what_is_left_are_those_of_the_whole_lagrangian(name):
    """And R = M φ̈ − F for any φ̈; and a product for each colour gives every entry of M."""
    nodes = PLACES[name]
    density = partial(tangled, weights(nodes))

    @jax.jit
    def sparse(phi, phi_dot):
        left = fields.euler_lagrange(density, nodes)(phi, phi_dot, jnp.sin(phi))
        entries = fields.coloured_hessian(fields.lagrangian(density, nodes), nodes)(phi, phi_dot)
        return left, fields.energy(density, nodes)(phi, phi_dot), entries

    mass, force, energy, phi, phi_dot = whole(name)
    *found, entries = sparse(phi, phi_dot)
    found = *motion(name)(1.0, 1.0, phi, phi_dot)[1], *found
    expected = mass, mass @ phi, force, mass @ np.sin(phi) - force, energy
    for a, b in zip(found, expected, strict=True):
        close(a, b)
    scattered = np.zeros_like(mass)
    scattered[nodes.pattern] = entries
    close(scattered, mass)


@pytest.mark.parametrize("name", ["ring of 17", "graph"])
def test_training_sees_the_exact_gradient(name):
    nodes = PLACES[name]
    state = field(nodes)

    def loss(acceleration, weights):
        return jnp.sum(jnp.sin(acceleration(partial(tangled, weights))(*state)))

    def dense(density):
        return mechanics.acceleration(fields.lagrangian(density, nodes))

    expected = jax.jit(jax.grad(partial(loss, dense)))(weights(nodes))
    for solve in solvers(nodes)[:-1]:
        sparse = partial(fields.acceleration, nodes=nodes, solve=solve)
        close(jax.jit(jax.grad(partial(loss, sparse)))(weights(nodes)), expected, rtol=1e-7)


def test_a_second_derivative_sees_all_that_the_first_one_does():
    """Against differences of the gradient: M, F and φ̈ itself all change along the way."""
    nodes = PLACES["ring of 5"]
    (phi, phi_dot), step = field(nodes), 1e-5
    acceleration = fields.acceleration(partial(tangled, weights(nodes)), nodes)

    def slope(s):
        along = lambda s: acceleration(phi + s * phi_dot, phi_dot * jnp.cos(s))  # noqa: E731
        return jax.jvp(along, (s,), (1.0,))[1]

    both = jax.jit(jax.vmap(lambda s: jax.jvp(slope, (s,), (1.0,))))
    (before, _, after), (_, found, _) = both(0.3 + step * np.array([-1.0, 0.0, 1.0]))
    close(found, (after - before) / (2 * step), rtol=1e-6)


def test_a_string_accelerates_by_its_second_difference():
    """𝓛 = Σ ½ φ̇ᵢ² − ½ (φᵢ₊₁ − φᵢ)², on a ring and, with free ends, on a line."""

    def string(phi, phi_dot):
        return 0.5 * phi_dot[1] ** 2 - 0.5 * (phi[2] - phi[1]) ** 2

    phi, phi_dot = field(fields.ring(12))
    ring = jax.jit(fields.acceleration(string, fields.ring(12)))(phi, phi_dot)
    close(ring, np.roll(phi, 1) - 2 * phi + np.roll(phi, -1))
    line = jax.jit(fields.acceleration(string, fields.line(12)))(phi, phi_dot)
    padded = np.pad(phi, 1, mode="edge")
    close(line, padded[:-2] - 2 * phi + padded[2:])


def elastic(phi, phi_dot):
    """Half a spring to each neighbour; filling up with the node itself adds none."""
    return 0.5 * phi_dot[0] ** 2 - 0.25 * jnp.sum((phi[1:] - phi[0]) ** 2)


def test_a_membrane_accelerates_by_the_laplacian():
    phi, phi_dot = field(fields.membrane(4, 7))
    found = jax.jit(fields.acceleration(elastic, fields.membrane(4, 7)))(phi, phi_dot)
    grid = np.asarray(phi).reshape(4, 7)
    around = sum(np.roll(grid, move, axis) for move in (1, -1) for axis in (0, 1))
    close(found.reshape(4, 7), around - 4 * grid)


def springs(n, edges):
    """The Laplacian of a graph."""
    laplacian = np.zeros((n, n))
    for a, b in edges:
        laplacian[[a, b], [a, b]] += 1
        laplacian[[a, b], [b, a]] -= 1
    return laplacian


def test_masses_and_springs_on_a_graph_accelerate_by_its_laplacian():
    phi, phi_dot = field(fields.graph(6, BAR))
    found = jax.jit(fields.acceleration(elastic, fields.graph(6, BAR)))(phi, phi_dot)
    close(found, -springs(6, BAR) @ phi)


def test_the_edges_are_the_springs_of_each_place():
    """Of a line 0–1, 1–2, …; of a ring also from the last to the first; of a graph what was given.

    On a membrane each node has four, and half of them are its own.
    """
    chain = {(i, i + 1) for i in range(8)}
    assert set(fields.line(9).edges) == chain
    assert set(fields.ring(9).edges) == chain | {(0, 8)}
    assert set(fields.ring(9, (0, 1)).edges) == chain | {(0, 8)}
    assert set(fields.ring(9, (0, 2)).edges) == {tuple(sorted((i, (i + 2) % 9))) for i in range(9)}
    assert set(fields.graph(6, BAR).edges) == {tuple(edge) for edge in BAR}
    assert set(fields.Neighbourhoods([[2, 1], [0, 1]]).edges) == {(1, 2), (0, 1)}
    membrane = fields.membrane(3, 5).edges
    assert len(set(membrane)) == len(membrane) == 2 * 15
    assert (np.bincount(np.ravel(membrane)) == 4).all()
    for nodes in (fields.Neighbourhoods([[0, 1, 2], [1, 2, 3]]), fields.ring(9, (-1, 1, 2))):
        with pytest.raises(ValueError, match="row i to be the neighbourhood of node i"):
            print(nodes.edges)


def test_a_turned_ring_turns_the_acceleration():
    move, state = motion("ring of 23"), field(PLACES["ring of 23"])
    turned, straight = (move(1.0, 1.0, *x)[0][0] for x in (np.roll(state, 5, axis=1), state))
    close(turned, np.roll(straight, 5))


# --- The sparse Hessian ------------------------------------------------------------------------


def test_a_lagrangian_that_couples_more_than_neighbours_is_refused():
    """One spring between velocities across the ring; inside of `jit` there is no answer."""
    nodes, state = PLACES["ring of 10"], field(PLACES["ring of 10"])

    def across(phi, phi_dot):
        return phi_dot @ phi_dot + 0.01 * phi_dot[0] * phi_dot[5]

    hessian = fields.coloured_hessian(across, nodes)
    with pytest.raises(ValueError, match="couples neighbours only"):
        hessian(*state)
    assert np.isnan(jax.jit(hessian)(*state)).all()


@everywhere
def test_no_two_nodes_of_a_colour_meet_in_a_row(name):
    nodes = PLACES[name]
    rows, columns = nodes.pattern
    seen = set(zip(rows.tolist(), nodes.colours[columns].tolist(), strict=True))
    assert len(seen) == len(rows)


@pytest.mark.parametrize("n", range(5, 60))
def test_five_colours_are_enough_where_five_divides_the_ring(n):
    colours = int(fields.ring(n).colours.max()) + 1
    assert colours == 5 if n % 5 == 0 else 5 < colours <= (9 if n < 20 else 6)


def test_the_hessian_of_a_ring_has_five_bands():
    rows, columns = fields.ring(100).pattern
    assert set(np.unique((columns - rows + 50) % 100 - 50).tolist()) == {-2, -1, 0, 1, 2}
    assert len(rows) == 500


# --- Linear in time and memory -----------------------------------------------------------------


@pytest.mark.parametrize("solve", ["banded", "cg"])
def test_memory_grows_with_the_number_of_nodes_and_no_faster(solve, monkeypatch):
    """By what the compiler sets aside, for eight times as many nodes."""
    monkeypatch.setattr(fields, "BLOCK", 100)
    needed = []
    for n in (24, 192):
        nodes = fields.ring(n)
        density = partial(tangled, weights(nodes))
        compiled = jax.jit(fields.acceleration(density, nodes, solve))
        memory = compiled.lower(*field(nodes)).compile().memory_analysis()
        needed.append(memory.temp_size_in_bytes)
    assert needed[1] < 9 * needed[0]


def test_many_neighbourhoods_are_worked_on_in_blocks(monkeypatch):
    nodes, (mass, force, _, *state) = PLACES["ring of 23"], whole("ring of 23")
    monkeypatch.setattr(fields, "BLOCK", 5)
    density = partial(tangled, weights(nodes))
    assert "scan" in str(jax.make_jaxpr(fields.lagrangian(density, nodes))(*state))
    close(jax.jit(fields.acceleration(density, nodes))(*state), np.linalg.solve(mass, force))


# --- Systems that are hard to solve ------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), shift=st.floats(-3, 3))
def test_a_solver_is_right_or_says_that_it_failed(seed, shift):
    """Symmetric matrices of any signs: the answer of the dense solver, or NaN; never another."""
    found, expected = _solve_all(jax.random.normal(jax.random.key(seed), (24, 3, 3)), shift)
    for x in found:
        if np.isfinite(x).all():
            np.testing.assert_allclose(x, expected, atol=1e-5 * np.abs(expected).max())


NODES = fields.ring(24)


@jax.jit
def _solve_all(blocks, shift):
    blocks = blocks + blocks.mT + shift * jnp.eye(3)
    force = jnp.sin(jnp.arange(24.0))
    found = [solved(fields.SOLVERS[name], NODES, blocks, force) for name in ("banded", "cg")]
    return found, jnp.linalg.solve(fields.mass_matrix(blocks, NODES), force)


@pytest.mark.parametrize("name", ["ring of 23", "graph"])
@pytest.mark.parametrize(
    ("unit", "length"), [(1e-30, 1.0), (1e30, 1.0), (-1.0, 1.0), (1.0, 1e-30), (1e30, 1e30)]
)
def test_units_change_nothing_but_the_unit_of_the_acceleration(name, unit, length):
    """Not those of 𝓛, whose sign is a unit too, nor those of length; for any solver."""
    mass, force, _, phi, phi_dot = whole(name)
    for found in motion(name)(unit, length, length * phi, length * phi_dot)[0]:
        close(found / length, np.linalg.solve(mass, force))


@pytest.mark.parametrize("unit", [1e-30, 1e30])
def test_units_change_nothing_in_single_precision_either(unit, float32):
    mass, force, _, *state = whole("ring of 5")
    density = in_units(unit, 1.0, weights(PLACES["ring of 5"]))
    acceleration = fields.acceleration(density, PLACES["ring of 5"], "cg")
    found = jax.jit(acceleration)(*np.asarray(state, np.float32))
    close(found, np.linalg.solve(mass, force), rtol=1e-5)


@pytest.mark.parametrize("solve", fields.SOLVERS)
def test_a_singular_mass_matrix_is_reported(solve):
    nodes = fields.ring(17)
    acceleration = fields.acceleration(
        lambda phi, phi_dot: phi @ phi + 0 * phi_dot[0], nodes, solve
    )
    with pytest.raises(FloatingPointError, match=f"{solve}.*singular"):
        acceleration(*field(nodes))
    if solve == "cg":
        assert not np.isfinite(jax.jit(acceleration)(*field(nodes))).any()


def test_of_several_answers_one_is_given_and_the_condition_number_tells():
    """𝓛 = Σ ½ (φ̇ᵢ₊₁ − φ̇ᵢ)² − ½ (φᵢ₊₁ − φᵢ)²: φ̈ = −φ, and the mean of φ̈ is anything."""
    nodes, state = PLACES["ring of 10"], field(PLACES["ring of 10"])

    def loose(phi, phi_dot):
        return 0.5 * (phi_dot[2] - phi_dot[1]) ** 2 - 0.5 * (phi[2] - phi[1]) ** 2

    found = jax.jit(fields.acceleration(loose, nodes, "cg"))(*state)
    close(found - found.mean(), -(state[0] - state[0].mean()))
    condition = mechanics.condition_number(fields.lagrangian(loose, nodes))
    assert jax.jit(condition)(*state) > 1e12


# --- A network on nodes ------------------------------------------------------------------------


def test_a_density_learned_on_one_ring_serves_on_another():
    """And training takes it as any model: batches of fields, a loss, a gradient."""
    model, params = learned(fields.ring(5))
    small, large = (fields.LagrangianGraphNetwork(model, fields.ring(n)) for n in (5, 15))
    state = field(fields.ring(5))

    @partial(jax.jit, static_argnums=0)
    def figures(network, phi, phi_dot):
        functions = network.acceleration, network.energy, network.lagrangian
        return [function(params, phi, phi_dot) for function in functions]

    acceleration, *scalars = figures(small, *state)
    tiled, *sums = figures(large, *np.tile(state, (1, 3)))
    close(tiled, np.tile(acceleration, 3))
    close(np.asarray(sums), 3 * np.asarray(scalars))
    loss = train.acceleration_loss(small)
    batch = np.random.default_rng(3).normal(size=(3, 2, 5))
    gradient = jax.jit(jax.grad(loss))(params, tuple(batch))
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(gradient))
    assert all(np.abs(layer["weight"]).max() > 0 for layer in gradient)


class Tangled:
    """A model whose parameters are the weights of `tangled`."""

    dim = 3

    def lagrangian(self, weights, phi, phi_dot):
        return tangled(weights, phi, phi_dot)


def test_a_motion_keeps_the_learned_energy():
    nodes = fields.ring(5)
    network, params = fields.LagrangianGraphNetwork(Tangled(), nodes), weights(nodes)
    motion = jax.jit(partial(network.rollout, dt=0.05, steps=20, substeps=4))
    energy = jax.jit(jax.vmap(partial(network.energy, params)))
    along = energy(*motion(params, *(0.3 * field(nodes))))
    np.testing.assert_allclose(along, along[0], rtol=1e-6)


# --- Bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fields.ring(2), "at least 3 nodes"),
        (lambda: fields.ring(4, (-2, -1, 0, 1, 2)), "at least 5 nodes"),
        (lambda: fields.line(1), "n >= 2"),
        (lambda: fields.membrane(2, 5), "rows >= 3"),
        (lambda: fields.Neighbourhoods(np.array([[0, 1], [1, -1]])), "from 0 on, got -1"),
        (lambda: fields.Neighbourhoods(np.array([[0, 1], [1, 3]])), "none holds node 2"),
        (lambda: fields.Neighbourhoods(np.array([0, 1, 2])), r"shape \[m, k\]"),
        (lambda: fields.graph(4, [[0, 1], [1, 4]]), "from 0 to 3"),
        (lambda: fields.graph(4, [[0, 1], [1, 2]]), "none at node 3"),
        (lambda: fields.graph(3, [[0, 0]]), "nodes 0, 1, 2"),
        (lambda: fields.graph(3, [0, 1]), "pairs of nodes"),
    ],
)
def test_places_that_are_none_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_calls_that_cannot_work_are_refused():
    nodes = fields.ring(10)
    density = lambda phi, phi_dot: phi_dot @ phi_dot - phi @ phi  # noqa: E731
    with pytest.raises(TypeError, match="whole numbers, got float"):
        fields.Neighbourhoods(np.array([[0.0, 1.0]]))
    with pytest.raises(ValueError, match="a ring for solve='banded'"):
        fields.acceleration(density, fields.line(10), "banded")
    with pytest.raises(ValueError, match="unknown solve 'lu'; known are: banded, cg, dense"):
        fields.acceleration(density, nodes, "lu")
    with pytest.raises(ValueError, match="dim=3, one coordinate for each point"):
        fields.LagrangianGraphNetwork(models.LNN(dim=2), nodes)
    with pytest.raises(ValueError, match="a field has no context"):
        fields.LagrangianGraphNetwork(models.LNN(dim=3, context=1), nodes)
    with pytest.raises(ValueError, match="a field has no force"):
        fields.LagrangianGraphNetwork(models.LNN(dim=3, force=lambda q, v: -v), nodes)
    for name in ("acceleration", "equation_of_motion", "generalised_force", "energy"):
        density = type("Damped", (models.LNN,), {name: lambda self, *state: state[-1]})(dim=3)
        with pytest.raises(ValueError, match=f"would not call the {name} of Damped"):
            fields.LagrangianGraphNetwork(density, nodes)
    with pytest.raises(TypeError, match="with a Lagrangian, got PlainNetwork"):
        fields.LagrangianGraphNetwork(models.PlainNetwork(dim=3), nodes)


OF_A_DENSITY = {
    f.__name__: f
    for f in (
        fields.lagrangian,
        fields.energy,
        fields.equation_of_motion,
        fields.euler_lagrange,
        fields.acceleration,
    )
}


@pytest.mark.parametrize("name", OF_A_DENSITY)
def test_what_is_no_density_no_place_or_no_field_is_refused(name):
    """Each at the door; of a field, also one that the neighbourhoods would read without a word."""
    nodes, make = fields.line(10), OF_A_DENSITY[name]
    phi = jnp.ones(11)
    more = (phi,) if name == "euler_lagrange" else ()
    with pytest.raises(ValueError, match="a field on 10 nodes, got shape"):
        make(elastic, nodes)(phi, phi, *more)
    for other in ([[0, 1, 2]], 10, None):
        with pytest.raises(TypeError, match=f"Neighbourhoods, got {type(other).__name__}"):
            make(elastic, other)
    with pytest.raises(TypeError, match="density to be a function"):
        make(3.0, nodes)
    with pytest.raises(ValueError, match="density without explicit time"):
        make(lambda phi, phi_dot, t: t * elastic(phi, phi_dot), nodes)


@pytest.mark.parametrize("name", OF_A_DENSITY)
@pytest.mark.parametrize(
    "beyond",
    [lambda phi, v: v @ v - phi[5], lambda phi, v: v @ v + v[-4], lambda phi, v: phi[1:][2]],
)
def test_a_density_that_reads_past_its_neighbourhood_is_refused(name, beyond):
    with pytest.raises(IndexError, match=r"a density of 3 points, got one of more: index -?\d"):
        OF_A_DENSITY[name](beyond, fields.ring(10))
    with pytest.raises(IndexError, match="a density of 3 points"):
        fields.dispersion(beyond)


def test_a_density_may_do_what_only_jax_s_arrays_can():
    density = lambda phi, phi_dot: phi_dot @ phi_dot - phi.at[0].set(0.0) @ phi  # noqa: E731
    value = fields.lagrangian(density, fields.ring(5))(jnp.ones(5), jnp.ones(5))
    assert float(value) == 5 * (3 - 2)


def test_blocks_and_vectors_of_other_nodes_are_refused():
    nodes, blocks, x = fields.line(10), jnp.ones((10, 3, 3)), jnp.ones(11)
    with pytest.raises(ValueError, match="x, a field on 10 nodes, got shape"):
        fields.mass_times(blocks, nodes, x)
    for wrong in (blocks[:1], blocks[:, :1], jnp.ones((10, 10))):
        with pytest.raises(ValueError, match=r"blocks of shape \(10, 3, 3\), got"):
            fields.mass_times(wrong, nodes, x[:10])
        with pytest.raises(ValueError, match=r"blocks of shape \(10, 3, 3\), got"):
            fields.mass_matrix(wrong, nodes)
    with pytest.raises(ValueError, match="phi_ddot, a field on 10 nodes"):
        fields.euler_lagrange(elastic, nodes)(x[:10], x[:10], x)
    for function in (partial(fields.mass_times, x=x), fields.mass_matrix):
        with pytest.raises(TypeError, match="Neighbourhoods, got ndarray"):
            function(blocks, nodes.index)
    with pytest.raises(TypeError, match="Neighbourhoods, got ndarray"):
        fields.coloured_hessian(lambda phi, v: v @ v, nodes.index)


@pytest.mark.parametrize("stencil", [(-1.0, 0.0, 1.0), (), 3, ((0, 1),), (0, 0.5)])
def test_a_stencil_holds_whole_numbers(stencil):
    for make in (
        lambda: fields.ring(10, stencil),
        lambda: fields.dispersion(elastic, stencil),
        lambda: fields.Neighbourhoods(fields.ring(10).index, stencil),
    ):
        with pytest.raises(TypeError, match="a stencil of offsets, whole numbers"):
            make()


# --- Small waves -------------------------------------------------------------------------------


@pytest.mark.parametrize("difference", ["one-sided", "central"])
def test_the_dispersion_of_a_density_is_that_of_the_string(difference):
    wave = systems.WaveEquation(50, spacing=0.4, speed=1.3, difference=difference)
    k = np.linspace(0.01, np.pi, 30)
    expected = wave.frequency(k / 0.4)
    np.testing.assert_allclose(fields.dispersion(wave.density)(k), expected, atol=1e-12)
    flipped = fields.dispersion(lambda *state: -wave.density(*state))
    np.testing.assert_allclose(flipped(k), expected, atol=1e-12)


def leaning(phi, phi_dot):
    """Couples φ̇ and φ, and so prefers a direction."""
    kinetic = 0.5 * phi_dot[1] ** 2 + 0.1 * phi_dot[0] * phi_dot[1]
    return kinetic - 0.5 * (phi[2] - phi[1]) ** 2 + 0.3 * phi_dot[1] * (phi[2] - phi[0])


def test_a_small_wave_moves_as_its_dispersion_says():
    acceleration = jax.jit(fields.acceleration(leaning, fields.ring(12)))
    place, dispersion = np.arange(12), fields.dispersion(leaning)
    for turns in (1, 2, -2, 5):
        k = 2 * np.pi * turns / 12
        omega, other = np.asarray(dispersion(np.array([k, -k])))
        assert omega > 0 and abs(omega - other) > 0.1
        found = acceleration(np.cos(k * place), omega * np.sin(k * place))
        np.testing.assert_allclose(found, -(omega**2) * np.cos(k * place), atol=1e-12)


def test_a_field_that_does_not_oscillate_has_no_frequency():
    def falling(phi, phi_dot):
        return 0.5 * phi_dot[1] ** 2 + 0.5 * phi[1] ** 2

    assert np.isnan(fields.dispersion(falling)(np.array([0.0, 1.0]))).all()
    with pytest.raises(TypeError, match="density"):
        fields.dispersion(1.0)
    with pytest.raises(TypeError, match="rest to be a number"):
        fields.dispersion(falling, rest=np.zeros(3))


def test_a_field_that_may_be_lifted_keeps_its_momentum():
    """Noether: with centred positions d/dt Σ p = 0, whatever the weights; else it is not."""
    nodes = fields.ring(10)
    for positions in ("centred", "scaled"):
        model = models.LNN(dim=3, width=8, depth=1, position_features=positions)
        params = jax.tree.map(lambda x: x.astype(float), model.init(jax.random.key(0)))
        density = partial(model.lagrangian, params)
        momentum = mechanics.momentum(fields.lagrangian(density, nodes))

        @jax.jit
        def rate(phi, phi_dot, density=density, momentum=momentum):
            phi_ddot = fields.acceleration(density, nodes)(phi, phi_dot)
            return jax.jvp(momentum, (phi, phi_dot), (phi_dot, phi_ddot))[1].sum()

        assert (abs(float(rate(*field(nodes)))) < 1e-12) == (positions == "centred")


def test_a_stencil_that_is_not_that_of_the_rows_is_refused():
    with pytest.raises(ValueError, match="the rows of a ring for the stencil"):
        fields.Neighbourhoods(fields.line(12).index, (-1, 0, 1))
