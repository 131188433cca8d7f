"""Masses on springs: against sparse mechanics, NumPy's graph Laplacian and normal modes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import fields, integrate, mechanics
from lnn_tutorial.systems import MassesOnSprings

pytestmark = pytest.mark.usefixtures("float64")

BAR = [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [0, 3], [2, 5]]
PLACES = {"graph": fields.graph(6, BAR), "membrane": fields.membrane(4, 5)}
everywhere = pytest.mark.parametrize("nodes", PLACES.values(), ids=PLACES.keys())


def springs(nodes):
    return MassesOnSprings(nodes.edges, mass=1.7, stiffness=0.6)


def start(system, key=0):
    return tuple(x[0] for x in system.sample(jax.random.key(key), 1))


def test_the_edges_of_a_graph_are_those_that_made_it():
    assert fields.graph(6, BAR).edges == tuple(sorted(tuple(sorted(edge)) for edge in BAR))
    assert len(fields.membrane(4, 5).edges) == 2 * 4 * 5
    assert fields.line(3).edges == ((0, 1), (1, 2))


@everywhere
def test_the_closed_form_is_what_the_density_says(nodes):
    system = springs(nodes)
    q, q_dot = start(system)

    @jax.jit
    def said(q, q_dot):
        out_of_balance = fields.euler_lagrange(system.density, nodes)
        return (
            out_of_balance(q, q_dot, system.acceleration(q, q_dot)),
            fields.lagrangian(system.density, nodes)(q, q_dot),
            mechanics.energy(system.lagrangian)(q, q_dot),
        )

    residual, lagrangian, energy = said(q, q_dot)
    np.testing.assert_allclose(residual, 0, atol=1e-10)
    np.testing.assert_allclose(system.lagrangian(q, q_dot), lagrangian)
    np.testing.assert_allclose(system.energy(q, q_dot), energy)


@everywhere
def test_normal_modes_oscillate_and_the_energy_stays(nodes):
    system = springs(nodes)
    laplacian = np.zeros((nodes.size, nodes.size))
    for i, j in nodes.edges:
        laplacian[[i, j], [i, j]] += 1
        laplacian[[i, j], [j, i]] -= 1
    squares, modes = np.linalg.eigh(0.6 / 1.7 * laplacian)
    (q, q_dot), omega = start(system), np.sqrt(np.maximum(squares, 0))
    t = 3.0
    along = t * np.sinc(omega * t / np.pi)
    exact = modes @ (np.cos(omega * t) * (modes.T @ q) + along * (modes.T @ q_dot))
    steps = {"dt": 0.1, "steps": 30, "substeps": 10}
    moved = jax.jit(lambda *x: integrate.rollout(system.acceleration, *x, **steps))(q, q_dot)
    np.testing.assert_allclose(moved[0][-1], exact, atol=1e-8)
    energies = jax.vmap(system.energy)(*moved)
    np.testing.assert_allclose(energies, energies[0], rtol=1e-8)


def test_white_noise_of_the_width_it_says():
    q, q_dot = springs(PLACES["membrane"]).sample(jax.random.key(0), 4000)
    assert q.shape == q_dot.shape == (4000, 20)
    assert float(q.std()) == pytest.approx(1, rel=0.02)
    assert float(q_dot.std()) == pytest.approx((0.6 / 1.7) ** 0.5, rel=0.02)
    assert springs(PLACES["graph"]).angles == (False,) * 6


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ((), "pairs of masses"),
        (((0, 1, 2),), "pairs of masses"),
        (((0.0, 1.0),), "pairs of masses, got float64"),
        (((0, 0), (0, 1)), "two different masses"),
        (((-1, 0),), "numbered from 0 on"),
        (((0, 2),), "an edge at every mass"),
        (((0, 1), (1, 0), (1, 2)), "every edge once"),
    ],
)
def test_edges_that_are_none_are_refused(edges, message):
    with pytest.raises(ValueError, match=message):
        MassesOnSprings(edges)


def test_constants_must_be_positive():
    with pytest.raises(ValueError, match="stiffness > 0"):
        MassesOnSprings(((0, 1),), stiffness=0.0)
    with pytest.raises(ValueError, match="coordinate"):
        MassesOnSprings(((0, 1),)).energy(jnp.zeros(3), jnp.zeros(3))
