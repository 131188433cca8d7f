"""Three bodies and a bouncing ball: against motions in closed form and against SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from lnn_tutorial import integrate
from lnn_tutorial.systems import BouncingBall, KeplerProblem, ThreeBodies

pytestmark = pytest.mark.usefixtures("float64")

# --- Three bodies ------------------------------------------------------------------------------

THREE = ThreeBodies(1.5, 0.8, 2.0, strength=1.3, softening=0.2)
MASSES = np.array([1.5, 0.8, 2.0])


def start(system, key=0):
    return tuple(x[0] for x in system.sample(jax.random.key(key), 1))


@pytest.mark.parametrize("key", range(3))
def test_three_bodies_keep_energy_momentum_and_angular_momentum(key):
    q, q_dot = start(THREE, key)
    drift = np.tile([0.3, -0.2], 3)
    motion = integrate.reference(THREE.acceleration, q + 1, q_dot + drift, dt=0.5, steps=20)
    for name in ("energy", "linear_momentum", "angular_momentum"):
        found = np.asarray(jax.vmap(getattr(THREE, name))(*motion))
        np.testing.assert_allclose(found, found[:1].repeat(21, 0), rtol=0, atol=1e-9, err_msg=name)
    np.testing.assert_allclose(THREE.linear_momentum(q, q_dot + drift), 4.3 * drift[:2], rtol=1e-9)
    centre = np.einsum("j,tjx->tx", MASSES / 4.3, motion[0].reshape(21, 3, 2))
    t = 0.5 * np.arange(21)[:, None]
    np.testing.assert_allclose(centre, 1 + drift[:2] * t, atol=1e-9)


def test_lagranges_triangle_turns_as_a_whole():
    """At the corners of an equilateral triangle every pull goes to the centre of mass."""
    side, angles = 1.4, np.pi * np.array([0, 2 / 3, 4 / 3])
    r = side / np.sqrt(3) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    r -= MASSES / 4.3 @ r
    rate = np.sqrt(1.3 * 4.3 / (side**2 + 0.2**2) ** 1.5)
    velocities = rate * np.stack([-r[:, 1], r[:, 0]], axis=1)
    q, _ = integrate.reference(
        THREE.acceleration, r.ravel(), velocities.ravel(), dt=np.pi / 6 / rate, steps=6
    )
    for k, places in enumerate(q.reshape(7, 3, 2)):
        cosine, sine = np.cos(np.pi / 6 * k), np.sin(np.pi / 6 * k)
        np.testing.assert_allclose(places, r @ [[cosine, sine], [-sine, cosine]], atol=1e-8)


def test_equal_bodies_chase_each_other_along_a_figure_of_eight():
    """Start and period of Chenciner & Montgomery (2000); softening as good as none."""
    x, v, period = (
        np.array([0.97000436, -0.24308753]),
        np.array([-0.93240737, -0.86473146]),
        6.32591,
    )
    q, _ = integrate.reference(
        ThreeBodies(softening=1e-6).acceleration,
        np.concatenate([x, -x, 0 * x]),
        np.concatenate([-v / 2, -v / 2, v]),
        dt=period / 3,
        steps=3,
    )
    first, third, *_ = q.reshape(4, 3, 2)
    np.testing.assert_allclose(sorted(third.tolist()), sorted(first.tolist()), atol=1e-4)
    assert np.abs(third - first).max() > 0.9
    np.testing.assert_allclose(q[3], q[0], atol=1e-4)


def test_a_light_body_far_from_a_heavy_one_is_a_planet():
    sun = ThreeBodies(2.0, 1e-12, 1e-12, strength=1.5, softening=1e-9)
    q = np.array([0.3, 0.2, 1.3, -0.4, 1e6, 0.0])
    found = sun.acceleration(q, np.zeros(6))[2:4]
    kepler = KeplerProblem(1.0, 1.5 * 2.0).acceleration(q[2:4] - q[:2], np.zeros(2))
    np.testing.assert_allclose(found, kepler, rtol=1e-9)


def test_three_bodies_in_one_place_pull_nothing():
    q = np.tile([0.4, -0.3], 3)
    np.testing.assert_array_equal(THREE.acceleration(q, np.ones(6)), np.zeros(6))
    assert THREE.energy(q, np.zeros(6)) == pytest.approx(-1.3 * (1.2 + 3.0 + 1.6) / 0.2)


def test_sampled_bodies_are_bound_about_a_centre_at_rest():
    q, q_dot = map(np.asarray, THREE.sample(jax.random.key(1), 4000))
    assert q.shape == q_dot.shape == (4000, 6)
    for x in (q, q_dot):
        np.testing.assert_allclose(
            np.einsum("j,njx->nx", MASSES, x.reshape(-1, 3, 2)), 0, atol=1e-12
        )
    potential = np.asarray(jax.vmap(THREE.energy)(q, 0 * q))
    share = 1 - np.asarray(jax.vmap(THREE.energy)(q, q_dot)) / potential
    assert 0.2 <= share.min() < 0.201
    assert 0.799 < share.max() <= 0.8
    np.testing.assert_allclose(share.mean(), 0.5, atol=5 * 0.6 / np.sqrt(12 * 4000))
    # Two places in a disc of radius R are 128 R/(45 π) apart in the mean, and at most 2 R.
    r = q.reshape(-1, 3, 2)
    apart = np.linalg.norm(r - np.roll(r, 1, axis=1), axis=2)
    assert apart.max() < 4
    np.testing.assert_allclose(apart.mean(), 256 / (45 * np.pi), atol=0.05)
    # The pull of mass m is at most 2 G m/(3 √3 ε²), two of them within it.
    pull = np.linalg.norm(jax.vmap(THREE.acceleration)(q, q_dot).reshape(-1, 3, 2), axis=2)
    assert pull.max() < 2 * 1.3 * 3.5 / (3 * np.sqrt(3) * 0.2**2)


def test_sampled_bodies_stay_finite_on_their_way():
    system = ThreeBodies()
    motion = jax.jit(
        jax.vmap(
            lambda *s: integrate.rollout(system.acceleration, *s, dt=0.1, steps=100, substeps=20)
        )
    )(*system.sample(jax.random.key(2), 50))
    energy = np.asarray(jax.vmap(jax.vmap(system.energy))(*motion))
    np.testing.assert_allclose(energy, energy[:, :1].repeat(101, 1), atol=1e-4)


# --- A bouncing ball ---------------------------------------------------------------------------


def bounced(ball, q, q_dot, t):
    """The motion by SciPy: DOP853 from floor to floor, the velocity reversed by hand."""

    def floor(t, x):
        return x[0]

    floor.terminal, floor.direction = True, -1
    now, x = 0.0, np.array([q, q_dot])
    while True:
        found = solve_ivp(
            lambda t, x: [x[1], -ball.gravity], (now, t), x, "DOP853", events=floor, rtol=1e-10
        )
        if found.status == 0:
            return found.y[:, -1]
        now, x = found.t[-1], np.array([1e-15, -ball.restitution * found.y[1, -1]])


@pytest.mark.parametrize("e", [1.0, 0.999, 0.7, 0.3])
@pytest.mark.parametrize(("q", "q_dot"), [(2.0, 0.0), (0.5, 3.0), (3.0, -4.0), (0.0, 4.0)])
def test_a_ball_bounces_as_scipy_finds_it(e, q, q_dot):
    ball = BouncingBall(1.7, gravity=9.8, restitution=e)
    exact, throw = jax.jit(ball.exact), np.sqrt(q_dot**2 + 2 * 9.8 * q)
    # Some flights for the springy, and for the others most of those before they lie still.
    until = (throw + q_dot) / 9.8 + 2 * throw / 9.8 * min(e, 0.8) / (1 - min(e, 0.8))
    for t in until * np.array([0.03, 0.11, 0.21, 0.31, 0.44, 0.57, 0.83, 0.98]):
        found = np.ravel(exact(np.array([q]), np.array([q_dot]), t))
        np.testing.assert_allclose(found, bounced(ball, q, q_dot, t), atol=1e-7)
    np.testing.assert_allclose(np.ravel(exact(np.array([q]), np.array([q_dot]), 0)), (q, q_dot))


heights, velocities, times = st.floats(0, 5), st.floats(-5, 5), st.floats(0, 50)


@given(q=heights, q_dot=velocities, t=times)
def test_without_loss_the_energy_stays(q, q_dot, t):
    ball = BouncingBall(1.7, restitution=1.0)
    state = np.array([q]), np.array([q_dot])
    moved = ball.exact(*state, t)
    assert moved[0] >= 0
    np.testing.assert_allclose(ball.energy(*moved), ball.energy(*state), atol=1e-9)


@given(q=heights, q_dot=velocities, e=st.floats(0.05, 0.95), bounces=st.integers(0, 8))
def test_every_bounce_leaves_e_squared_of_the_energy(q, q_dot, e, bounces):
    ball = BouncingBall(1.7, restitution=e)
    energy = float(ball.energy(np.array([q]), np.array([q_dot])))
    throw = np.sqrt(q_dot**2 + 2 * 9.8 * q)
    # The middle of the flight after so many bounces, added up flight by flight.
    t = (throw + q_dot) / 9.8 + sum(2 * throw / 9.8 * e**k for k in range(1, bounces))
    t = t + throw / 9.8 * e**bounces if bounces else 0.999 * t
    left = ball.energy(*ball.exact(np.array([q]), np.array([q_dot]), t))
    np.testing.assert_allclose(left, e ** (2 * bounces) * energy, rtol=1e-6, atol=1e-12)


@given(q=heights, q_dot=velocities, e=st.floats(0.05, 1), t=times, later=times)
def test_a_motion_goes_on_from_any_of_its_states(q, q_dot, e, t, later):
    """But where a bounce is so near that rounding decides on which side of it a state is."""
    ball = BouncingBall(restitution=e)
    middle = ball.exact(np.array([q]), np.array([q_dot]), t)
    expected = ball.exact(np.array([q]), np.array([q_dot]), t + later)
    found = ball.exact(*middle, later)
    np.testing.assert_allclose(found[0], expected[0], atol=2e-5)
    if expected[0] > 1e-3:
        np.testing.assert_allclose(found[1], expected[1], atol=1e-2)


@pytest.mark.parametrize("t", [4.1, 1000.0])
def test_in_the_end_the_ball_lies_still(t):
    """After √(2 h/g) (1 + e)/(1 − e): 0.639 s times 5 for 2 m and e = 2/3, some 3.19 s."""
    ball = BouncingBall(restitution=2 / 3)
    end = np.sqrt(2 * 2.0 / 9.8) * 5
    assert ball.exact([2.0], [0.0], 0.999 * end)[0] > 0
    for late in (end * (1 + 1e-12), t):
        np.testing.assert_array_equal(ball.exact([2.0], [0.0], late), np.zeros((2, 1)))


@pytest.mark.parametrize("e", [1.0, 0.5])
def test_a_ball_at_rest_on_the_floor_stays_there(e):
    found = BouncingBall(restitution=e).exact([0.0], [0.0], 3.0)
    np.testing.assert_array_equal(found, np.zeros((2, 1)))


def test_bounces_are_mapped_over_times_and_keep_their_precision(float32):
    ball, q = BouncingBall(restitution=0.9), jnp.array([2.0])
    t = jnp.linspace(0, 20, 101)
    height, velocity = jax.jit(jax.vmap(ball.exact, (None, None, 0)))(q, 0 * q, t)
    assert height.shape == velocity.shape == (101, 1)
    assert height.dtype == velocity.dtype == np.float32
    assert np.isfinite(height).all() and height.max() <= 2.0


@pytest.mark.parametrize("method", ["lagrangian", "energy", "acceleration", "exact"])
def test_a_ball_below_the_floor_is_refused(method):
    ball = BouncingBall()
    time = (1.0,) if method == "exact" else ()
    with pytest.raises(ValueError, match=r"expected q >= 0, got \[-0.1\]"):
        getattr(ball, method)([-0.1], [0.0], *time)
    assert np.isfinite(jax.jit(getattr(ball, method))([0.0], [0.0], *time)).all()


@pytest.mark.parametrize(
    ("t", "error", "message"),
    [
        (-1.0, ValueError, "expected t >= 0"),
        (np.nan, ValueError, "t to be finite"),
        ("1", TypeError, "t to be a number"),
        (np.ones(2), TypeError, "t to be a number, got an array"),
    ],
)
def test_a_time_is_a_number_not_below_zero(t, error, message):
    with pytest.raises(error, match=message):
        BouncingBall().exact([1.0], [0.0], t)


def test_no_bounce_brings_more_energy_than_it_took():
    with pytest.raises(ValueError, match=r"expected restitution <= 1, got 1.01"):
        BouncingBall(restitution=1.01)
