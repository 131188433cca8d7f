"""Fields: sparse accelerations against dense mechanics, on rings, lines, membranes and graphs."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnn_tutorial import fields, integrate, mechanics, models, systems, train

pytestmark = pytest.mark.usefixtures("float64")

BAR = [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [0, 3], [2, 5]]
PLACES = {
    **{f"ring of {n}": fields.ring(n) for n in (3, 4, 5, 10, 16, 17, 23, 48)},
    "ring of wide neighbourhoods": fields.ring(37, (-2, -1, 0, 1, 2)),
    "ring of pairs": fields.ring(21, (0, 1)),
    "ring of single nodes": fields.ring(9, (0,)),
    "line": fields.line(9),
    "membrane": fields.membrane(3, 5),
    "graph": fields.graph(6, BAR),
}
everywhere = pytest.mark.parametrize("nodes", PLACES.values(), ids=PLACES.keys())


def learned(nodes, key=0):
    """A density that couples everything to everything in a neighbourhood."""
    model = models.LNN(dim=nodes.points, width=8, depth=2)
    params = jax.tree.map(lambda x: x.astype(float), model.init(jax.random.key(key)))
    return model, params


def field(nodes, key=1):
    return jax.random.normal(jax.random.key(key), (2, nodes.size))


def close(a, b, rtol=1e-9):
    np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * float(jnp.abs(jnp.asarray(b)).max()))


# --- The equation of motion --------------------------------------------------------------------


@everywhere
def test_every_solver_gives_the_acceleration_of_the_whole_lagrangian(nodes):
    model, params = learned(nodes)
    density, (phi, phi_dot) = partial(model.lagrangian, params), field(nodes)
    whole = fields.lagrangian(density, nodes)
    expected = jax.jit(mechanics.acceleration(whole))(phi, phi_dot)
    for solve in fields.SOLVERS if nodes.stencil else ("cg", "dense"):
        found = jax.jit(fields.acceleration(density, nodes, solve))(phi, phi_dot)
        close(found, expected)


@everywhere
def test_mass_energy_and_what_is_left_are_those_of_the_whole_lagrangian(nodes):
    model, params = learned(nodes)
    density = partial(model.lagrangian, params)
    whole = fields.lagrangian(density, nodes)

    @jax.jit
    def sparse(phi, phi_dot):
        blocks, force = fields.equation_of_motion(density, nodes)(phi, phi_dot)
        left = fields.euler_lagrange(density, nodes)(phi, phi_dot, jnp.sin(phi))
        times, energy = fields.mass_times(blocks, nodes, phi), fields.energy(density, nodes)
        return fields.mass_matrix(blocks, nodes), times, force, left, energy(phi, phi_dot)

    @jax.jit
    def dense(phi, phi_dot):
        mass, force = mechanics.equation_of_motion(whole)(phi, phi_dot)
        left = mechanics.euler_lagrange(whole)(phi, phi_dot, jnp.sin(phi))
        return mass, mass @ phi, force, left, mechanics.energy(whole)(phi, phi_dot)

    state = field(nodes)
    for found, expected in zip(sparse(*state), dense(*state), strict=True):
        close(found, expected)


@pytest.mark.parametrize("name", ["ring of 10", "ring of 23", "graph"])
def test_training_sees_the_exact_gradient(name):
    nodes = PLACES[name]
    model, params = learned(nodes)
    phi, phi_dot = field(nodes)

    def loss(acceleration, params):
        return jnp.sum(jnp.sin(acceleration(partial(model.lagrangian, params), phi, phi_dot)))

    def sparse(solve):
        return lambda density, *state: fields.acceleration(density, nodes, solve)(*state)

    def dense(density, *state):
        return mechanics.acceleration(fields.lagrangian(density, nodes))(*state)

    expected = jax.jit(jax.grad(partial(loss, dense)))(params)
    for solve in ("banded", "cg") if nodes.stencil else ("cg",):
        found = jax.jit(jax.grad(partial(loss, sparse(solve))))(params)
        jax.tree.map(partial(close, rtol=1e-7), found, expected)


def test_a_string_accelerates_by_its_second_difference():
    """𝓛 = Σ ½ φ̇ᵢ² − ½ (φᵢ₊₁ − φᵢ)², on a ring and, with free ends, on a line."""

    def string(phi, phi_dot):
        return 0.5 * phi_dot[1] ** 2 - 0.5 * (phi[2] - phi[1]) ** 2

    phi, phi_dot = jax.random.normal(jax.random.key(0), (2, 30))
    ring = jax.jit(fields.acceleration(string, fields.ring(30)))(phi, phi_dot)
    close(ring, np.roll(phi, 1) - 2 * phi + np.roll(phi, -1))
    line = jax.jit(fields.acceleration(string, fields.line(30)))(phi, phi_dot)
    padded = np.pad(phi, 1, mode="edge")
    close(line, padded[:-2] - 2 * phi + padded[2:])


def test_a_membrane_accelerates_by_the_laplacian():
    def elastic(phi, phi_dot):
        return 0.5 * phi_dot[0] ** 2 - 0.25 * jnp.sum((phi[1:] - phi[0]) ** 2)

    phi, phi_dot = jax.random.normal(jax.random.key(0), (2, 4 * 7))
    found = jax.jit(fields.acceleration(elastic, fields.membrane(4, 7)))(phi, phi_dot)
    grid = np.asarray(phi).reshape(4, 7)
    around = sum(np.roll(grid, move, axis) for move in (1, -1) for axis in (0, 1))
    close(found.reshape(4, 7), around - 4 * grid)


def test_masses_and_springs_on_a_graph_accelerate_by_its_laplacian():
    """Filling up with the node itself adds springs of no length."""

    def springs(phi, phi_dot):
        return 0.5 * phi_dot[0] ** 2 - 0.25 * jnp.sum((phi[1:] - phi[0]) ** 2)

    phi, phi_dot = jax.random.normal(jax.random.key(0), (2, 6))
    laplacian = np.zeros((6, 6))
    for a, b in BAR:
        laplacian[[a, b], [a, b]] += 1
        laplacian[[a, b], [b, a]] -= 1
    found = jax.jit(fields.acceleration(springs, fields.graph(6, BAR)))(phi, phi_dot)
    close(found, -laplacian @ phi)


def test_a_turned_ring_turns_the_acceleration():
    nodes = fields.ring(23)
    model, params = learned(nodes)
    phi, phi_dot = field(nodes)
    acceleration = jax.jit(fields.acceleration(partial(model.lagrangian, params), nodes))
    close(
        acceleration(jnp.roll(phi, 5), jnp.roll(phi_dot, 5)),
        jnp.roll(acceleration(phi, phi_dot), 5),
    )


# --- The sparse Hessian ------------------------------------------------------------------------


@everywhere
def test_a_product_for_each_colour_gives_the_whole_hessian(nodes):
    model, params = learned(nodes)
    whole = fields.lagrangian(partial(model.lagrangian, params), nodes)
    phi, phi_dot = field(nodes)
    found = np.zeros((nodes.size, nodes.size))
    rows, columns = nodes.pattern
    found[rows, columns] = jax.jit(fields.coloured_hessian(whole, nodes))(phi, phi_dot)
    close(found, jax.jit(mechanics.mass_matrix(whole))(phi, phi_dot))


@everywhere
def test_no_two_nodes_of_a_colour_meet_in_a_row(nodes):
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
def test_memory_grows_with_the_number_of_nodes_and_no_faster(solve):
    """By what the compiler sets aside, for eight times as many nodes."""
    needed = []
    for n in (4_000, 32_000):
        nodes = fields.ring(n)
        model, params = learned(nodes)
        compiled = jax.jit(fields.acceleration(partial(model.lagrangian, params), nodes, solve))
        memory = compiled.lower(*field(nodes)).compile().memory_analysis()
        needed.append(memory.temp_size_in_bytes)
    assert needed[1] < 9 * needed[0]


def test_many_neighbourhoods_are_worked_on_in_blocks(monkeypatch):
    nodes = fields.ring(23)
    model, params = learned(nodes)
    acceleration = partial(fields.acceleration, partial(model.lagrangian, params), nodes)
    expected = jax.jit(acceleration())(*field(nodes))
    monkeypatch.setattr(fields, "BLOCK", 5)
    close(jax.jit(acceleration())(*field(nodes)), expected)


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
    solvers = (fields._by_bands, fields._by_cg)
    found = [fields._solved(solver, blocks, NODES, force) for solver in solvers]
    return found, jnp.linalg.solve(fields.mass_matrix(blocks, NODES), force)


def test_a_mass_matrix_of_another_sign_is_no_trouble_for_the_direct_solver():
    """−𝓛 has the same motions."""
    nodes = fields.ring(23)
    model, params = learned(nodes)
    density = partial(model.lagrangian, params)
    state = field(nodes)
    expected = jax.jit(fields.acceleration(density, nodes))(*state)
    turned = fields.acceleration(lambda *x: -density(*x), nodes)
    close(jax.jit(turned)(*state), expected)


@pytest.mark.parametrize("solve", fields.SOLVERS)
def test_a_singular_mass_matrix_is_reported(solve):
    nodes = fields.ring(24)
    acceleration = fields.acceleration(
        lambda phi, phi_dot: phi @ phi + 0 * phi_dot[0], nodes, solve
    )
    with pytest.raises(FloatingPointError, match=f"{solve}.*singular"):
        acceleration(*field(nodes))
    assert not np.isfinite(jax.jit(acceleration)(*field(nodes))).any()


# --- A network on nodes ------------------------------------------------------------------------


def test_a_density_learned_on_one_ring_serves_on_another():
    """And training takes it as any model: batches of fields, a loss, a gradient."""
    model, params = learned(fields.ring(10))
    small, large = (fields.LagrangianGraphNetwork(model, fields.ring(n)) for n in (10, 40))
    phi, phi_dot = field(fields.ring(10))
    four_times = jnp.tile(phi, 4), jnp.tile(phi_dot, 4)
    close(
        large.acceleration(params, *four_times),
        jnp.tile(small.acceleration(params, phi, phi_dot), 4),
    )
    close(large.energy(params, *four_times), 4 * small.energy(params, phi, phi_dot))
    close(large.lagrangian(params, *four_times), 4 * small.lagrangian(params, phi, phi_dot))
    loss = train.acceleration_loss(small)
    batch = jax.random.normal(jax.random.key(3), (3, 5, 10))
    gradient = jax.jit(jax.grad(loss))(small.init(jax.random.key(0)), tuple(batch))
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(gradient))
    assert all(np.abs(layer["weight"]).max() > 0 for layer in gradient)


def test_a_motion_keeps_the_learned_energy():
    nodes = fields.ring(12)
    model, params = learned(nodes)
    network, (phi, phi_dot) = fields.LagrangianGraphNetwork(model, nodes), 0.3 * field(nodes)
    motion = jax.jit(partial(network.rollout, dt=0.05, steps=20, substeps=4))
    energy = jax.vmap(partial(network.energy, params))(*motion(params, phi, phi_dot))
    np.testing.assert_allclose(energy, energy[0], rtol=1e-6)


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
    nodes, phi = fields.ring(10), jnp.ones(10)
    density = lambda phi, phi_dot: phi_dot @ phi_dot - phi @ phi  # noqa: E731
    with pytest.raises(TypeError, match="whole numbers, got float"):
        fields.Neighbourhoods(np.array([[0.0, 1.0]]))
    with pytest.raises(ValueError, match="a field on 10 nodes, got shape"):
        fields.acceleration(density, nodes)(phi[:9], phi[:9])
    with pytest.raises(ValueError, match="a field on 10 nodes"):
        fields.energy(density, nodes)(phi[:9], phi[:9])
    with pytest.raises(ValueError, match="a ring for solve='banded'"):
        fields.acceleration(density, fields.line(10), "banded")
    with pytest.raises(ValueError, match="unknown solve 'lu'; known are: banded, cg, dense"):
        fields.acceleration(density, nodes, "lu")
    with pytest.raises(TypeError, match="Neighbourhoods, got list"):
        fields.lagrangian(density, [[0, 1]])(phi, phi)
    with pytest.raises(TypeError, match="density to be a function"):
        fields.lagrangian(3.0, nodes)
    with pytest.raises(ValueError, match="dim=3, one coordinate for each point"):
        fields.LagrangianGraphNetwork(models.LNN(dim=2), nodes)
    with pytest.raises(TypeError, match="with a Lagrangian, got BlackBox"):
        fields.LagrangianGraphNetwork(models.BlackBox(dim=3), nodes)


# --- Small waves -------------------------------------------------------------------------------


@pytest.mark.parametrize("difference", ["one-sided", "central"])
def test_the_dispersion_of_a_density_is_that_of_the_string(difference):
    wave = systems.WaveEquation(50, spacing=0.4, speed=1.3, difference=difference)
    k = np.linspace(0.01, np.pi, 30)
    expected = wave.frequency(k / 0.4)
    np.testing.assert_allclose(fields.dispersion(wave.density)(k), expected, atol=1e-12)
    flipped = fields.dispersion(lambda *state: -wave.density(*state))
    np.testing.assert_allclose(flipped(k), expected, atol=1e-12)


@pytest.mark.parametrize("turns", [1, 2, -2, 5])
def test_a_small_wave_moves_as_its_dispersion_says(turns):
    """Also where a density couples φ̇ and φ, and so prefers a direction."""

    def leaning(phi, phi_dot):
        kinetic = 0.5 * phi_dot[1] ** 2 + 0.1 * phi_dot[0] * phi_dot[1]
        return kinetic - 0.5 * (phi[2] - phi[1]) ** 2 + 0.3 * phi_dot[1] * (phi[2] - phi[0])

    k, place = 2 * np.pi * turns / 12, np.arange(12)
    omega = float(fields.dispersion(leaning)(k))
    other = float(fields.dispersion(leaning)(-k))
    assert omega > 0 and abs(omega - other) > 0.1
    phi, phi_dot = np.cos(k * place), omega * np.sin(k * place)
    found = jax.jit(fields.acceleration(leaning, fields.ring(12)))(phi, phi_dot)
    np.testing.assert_allclose(found, -(omega**2) * phi, atol=1e-12)


def test_a_field_that_does_not_oscillate_has_no_frequency():
    def falling(phi, phi_dot):
        return 0.5 * phi_dot[1] ** 2 + 0.5 * phi[1] ** 2

    assert np.isnan(fields.dispersion(falling)(np.array([0.0, 1.0]))).all()
    with pytest.raises(TypeError, match="density"):
        fields.dispersion(1.0)


def test_a_field_that_may_be_lifted_keeps_its_momentum():
    """Noether: with centred positions Σ p is constant, whatever the weights; else it is not."""
    for positions in ("centred", "scaled"):
        model = models.LNN(dim=3, width=8, depth=2, position_features=positions)
        params = jax.tree.map(lambda x: x.astype(float), model.init(jax.random.key(0)))
        density, nodes = partial(model.lagrangian, params), fields.ring(10)
        momentum = mechanics.momentum(fields.lagrangian(density, nodes))
        move = jax.jit(
            partial(
                integrate.rollout,
                fields.acceleration(density, nodes),
                dt=0.1,
                steps=10,
                substeps=20,
            )
        )
        phi, phi_dot = move(0.3 * field(nodes)[0], 0.3 * field(nodes)[1])
        total = jax.vmap(momentum)(phi, phi_dot).sum(axis=1)
        kept = np.allclose(total, total[0], atol=1e-8)
        assert kept == (positions == "centred")


def test_a_stencil_that_is_not_that_of_the_rows_is_refused():
    with pytest.raises(ValueError, match="the rows of a ring for the stencil"):
        fields.Neighbourhoods(fields.line(12).index, (-1, 0, 1))
