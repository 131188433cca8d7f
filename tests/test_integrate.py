"""The integrators: their order, what they conserve, and agreement with motions known exactly."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.special import ellipj, ellipk

from lnn_tutorial import integrate, mechanics
from lnn_tutorial.systems import DoublePendulum, FallingBall, Pendulum, SpringPendulum

pytestmark = pytest.mark.usefixtures("float64")

SPRING = SpringPendulum()
START = np.array([1.3, 0.9]), np.array([-0.4, 0.7])
OMEGA = np.block([[np.zeros((2, 2)), np.eye(2)], [-np.eye(2), np.zeros((2, 2))]])


def oscillate(q, q_dot):
    return -q


def oscillator(q, q_dot):
    return 0.5 * q_dot @ q_dot - 0.5 * q @ q


def momentum(q, q_dot, system=SPRING):
    """The canonical momentum of the spring pendulum, by hand."""
    return system.mass * np.array([q_dot[0], q[0] ** 2 * q_dot[1]])


def dop853(q, q_dot, t):
    """The spring pendulum at time t by SciPy, with the equations of motion written out here."""

    def slope(_, x):
        (r, theta), (r_dot, w) = x[:2], x[2:]
        r_ddot = r * w**2 + 9.8 * np.cos(theta) - 40 * (r - 1)
        return [r_dot, w, r_ddot, -(2 * r_dot * w + 9.8 * np.sin(theta)) / r]

    x = np.concatenate([q, q_dot])
    return solve_ivp(slope, (0, t), x, method="DOP853", rtol=1e-12, atol=1e-12).y[:, -1]


rk4_step = jax.jit(lambda q, v, dt: integrate.rk4_step(SPRING.acceleration, q, v, dt))
variational_step = jax.jit(lambda q, p, dt: integrate.variational_step(SPRING.lagrangian, q, p, dt))
simpson_step = jax.jit(
    lambda q, p, dt: integrate.variational_step(SPRING.lagrangian, q, p, dt, order=4)
)


# --- Order -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "to_phase_space", "order"),
    [(rk4_step, lambda q, v: v, 4), (variational_step, momentum, 2), (simpson_step, momentum, 4)],
    ids=["rk4", "variational", "variational of Simpson"],
)
def test_order_of_convergence(step, to_phase_space, order):
    exact = dop853(*START, 1.0)
    exact = np.concatenate([exact[:2], to_phase_space(exact[:2], exact[2:])])
    counts, errors = np.array([40, 80, 160]), []
    for n in counts:
        state = START[0], to_phase_space(*START)
        for _ in range(n):
            state = step(*state, 1.0 / n)
        errors.append(np.abs(np.concatenate(state) - exact).max())
    slope = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert slope == pytest.approx(order, abs=0.15)


@settings(max_examples=10)
@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(0.01, 0.5))
def test_one_step_of_rk4_on_an_oscillator_is_the_taylor_polynomial(q, v, dt):
    """x' = J x, so a step is 1 + z + z²/2 + z³/6 + z⁴/24 with z = dt J."""
    z = dt * np.array([[0, 1], [-1, 0]])
    taylor = np.eye(2) + z + z @ z / 2 + z @ z @ z / 6 + z @ z @ z @ z / 24
    found = oscillator_step(np.array([q]), np.array([v]), dt)
    np.testing.assert_allclose(np.concatenate(found), taylor @ [q, v], atol=1e-14)


oscillator_step = jax.jit(lambda q, v, dt: integrate.rk4_step(oscillate, q, v, dt))


@settings(max_examples=10)
@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(0.01, 0.5))
def test_one_variational_step_on_an_oscillator_is_the_cayley_transform(q, p, dt):
    """The midpoint rule: x₁ = (1 − z/2)⁻¹ (1 + z/2) x₀, a rotation, so the energy is kept."""
    z = dt * np.array([[0, 1], [-1, 0]])
    cayley = np.linalg.solve(np.eye(2) - z / 2, np.eye(2) + z / 2)
    found = np.concatenate(variational_oscillator_step(np.array([q]), np.array([p]), dt))
    np.testing.assert_allclose(found, cayley @ [q, p], atol=1e-13)
    np.testing.assert_allclose(found @ found, q**2 + p**2, atol=1e-13)


variational_oscillator_step = jax.jit(
    lambda q, p, dt: integrate.variational_step(oscillator, q, p, dt)
)


# --- What is conserved -------------------------------------------------------------------------


@settings(max_examples=15)
@given(st.floats(0.6, 2), st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3), st.booleans())
def test_a_variational_step_is_symplectic_and_one_of_rk4_is_not(r, theta, r_dot, w, backward):
    q, v, dt = np.array([r, theta]), np.array([r_dot, w]), -0.05 if backward else 0.05
    p = momentum(q, v)
    for jacobian in (variational_jacobian, simpson_jacobian):
        J = jacobian(q, p, dt)
        np.testing.assert_allclose(J.T @ OMEGA @ J, OMEGA, atol=1e-10)
    J = rk4_jacobian(q, p, dt)
    miss = np.abs(J.T @ OMEGA @ J - OMEGA).max()
    assert 1e-9 < miss < 0.1


def _jacobian(step):
    def flat(x, dt):
        return jnp.concatenate(step(x[:2], x[2:], dt))

    return jax.jit(lambda q, p, dt: jax.jacobian(flat)(jnp.concatenate([q, p]), dt))


def _rk4_in_phase_space(q, p, dt):
    scale = SPRING.mass * jnp.array([1.0, q[0] ** 2])
    q, v = integrate.rk4_step(SPRING.acceleration, q, p / scale, dt)
    return q, v * SPRING.mass * jnp.array([1.0, q[0] ** 2])


variational_jacobian, simpson_jacobian = _jacobian(variational_step), _jacobian(simpson_step)
rk4_jacobian = _jacobian(_rk4_in_phase_space)


def test_energy_error_stays_bounded_over_a_hundred_thousand_variational_steps():
    """… where RK4, at the same step, loses energy from beginning to end."""
    pendulum = Pendulum(gravity=1.0)
    q, v, dt = np.array([2.0]), np.array([0.0]), 0.2

    def energy_of(q, v):
        return 0.5 * v[:, 0] ** 2 - np.cos(q[:, 0])

    frames = {"dt": 100 * dt, "steps": 1000, "substeps": 100}
    q1, p1 = jax.jit(
        lambda q, v: integrate.variational_rollout(pendulum.lagrangian, q, v, **frames)
    )(q, v)
    q2, v2 = jax.jit(lambda q, v: integrate.rollout(pendulum.acceleration, q, v, **frames))(q, v)
    variational = np.abs(energy_of(q1, p1) - energy_of(q[None], v[None]))  # m = l = 1: p = q̇
    rk4 = energy_of(q[None], v[None]) - energy_of(q2, v2)

    assert variational.max() < 0.01
    assert variational[-200:].max() < 1.05 * variational[:200].max()
    assert rk4[-1] > 5 * variational.max()
    assert rk4[-1] > 1.5 * rk4[500] > 2 * rk4[200] > 0


def test_rk4_loses_the_energy_of_an_oscillator_as_theory_says():
    """|1 + z + z²/2 + z³/6 + z⁴/24|² = 1 − dt⁶/72 + dt⁸/576 for z = i dt: a factor a step."""
    dt, steps = 0.5, 400
    q, v = integrate.rollout(oscillate, np.array([1.0]), np.array([0.0]), dt=dt, steps=steps)
    factor = (1 - dt**6 / 72 + dt**8 / 576) ** np.arange(steps + 1)
    np.testing.assert_allclose(q[:, 0] ** 2 + v[:, 0] ** 2, factor, rtol=1e-12)


def test_angular_momentum_survives_the_largest_variational_steps():
    """Noether in discrete time: the discretised action knows no direction either."""

    def L(q, v):
        return 0.5 * v @ v + 1 / jnp.sqrt(q @ q + 0.1)

    q, p = integrate.variational_rollout(
        L, np.array([1.0, 0.0, 0.2]), np.array([0.1, 0.8, 0.3]), dt=0.5, steps=200
    )
    angular = np.cross(q, p)
    np.testing.assert_allclose(angular, np.broadcast_to(angular[0], angular.shape), atol=1e-12)
    energy = 0.5 * (p**2).sum(1) - 1 / np.sqrt((q**2).sum(1) + 0.1)
    assert np.ptp(energy) > 1e-3  # the steps are large indeed


def test_variational_motion_can_be_run_back_and_that_of_rk4_nearly():
    q, p = START[0], momentum(*START)
    there = q, p
    for dt in [0.05] * 20 + [-0.05] * 20:
        there = variational_step(*there, dt)
    np.testing.assert_allclose(there, (q, p), atol=1e-11)

    back = START
    for dt in [0.05] * 20 + [-0.05] * 20:
        back = rk4_step(*back, dt)
    miss = np.abs(np.subtract(back, START)).max()
    assert 1e-8 < miss < 1e-2


def test_energy_is_conserved_to_the_order_of_the_method():
    system = DoublePendulum()
    q, v = np.array([1.0, 2.0]), np.array([0.5, -1.0])
    field = jax.jit(
        lambda dt: integrate.rollout(
            mechanics.acceleration(system.lagrangian), q, v, dt=dt, steps=400
        )
    )

    def drift(dt, every):
        states = field(dt)
        return np.abs(np.ptp(jax.vmap(system.energy)(*(x[:every] for x in states))))

    coarse, fine = drift(0.01, 201), drift(0.005, 401)
    assert coarse < 1e-3
    assert 12 < coarse / fine < 40  # dt⁴ to dt⁵


# --- Rounding ----------------------------------------------------------------------------------


def energy_of_double_pendulums(q, v):
    """E of the double pendulum with m = l = 1 and g = 9.8, in double precision."""
    (a, b), (a_dot, b_dot) = np.moveaxis(np.float64(q), -1, 0), np.moveaxis(np.float64(v), -1, 0)
    kinetic = a_dot**2 + 0.5 * b_dot**2 + a_dot * b_dot * np.cos(a - b)
    return kinetic - 19.6 * np.cos(a) - 9.8 * np.cos(b)


def test_constants_in_double_precision_leave_a_state_in_single_precision():
    def pull(q, q_dot):
        return -np.float64([2.0]) * q

    start = np.float32([0.4]), np.float32([-1.1])
    assert pull(*map(jnp.asarray, start)).dtype == np.float64
    steps = (
        integrate.rk4_step(pull, *start, np.float64(0.1)),
        integrate.rollout(pull, *start, dt=np.float64(0.1), steps=3),
    )
    assert {x.dtype for state in steps for x in state} == {np.dtype(np.float32)}


def test_in_single_precision_a_rollout_keeps_the_energy_better_than_a_plain_sum(float32):
    """10,000 steps of 5 ms: RK4's own error is small, and a plain sum of the steps rounds."""
    system, substeps, seconds = DoublePendulum(), 200, 50
    start = system.sample_released(jax.random.key(0), 20)

    def summed(q, v):
        def frame(state, _):
            state = jax.lax.fori_loop(
                0, substeps, lambda _, x: integrate.rk4_step(system.acceleration, *x, 0.005), state
            )
            return state, state

        return jax.lax.scan(frame, (q, v), length=seconds)[1]

    def compensated(q, v):
        return integrate.rollout(
            system.acceleration, q, v, dt=1.0, steps=seconds, substeps=substeps
        )

    def drift(motion):
        q, v = jax.jit(jax.vmap(motion))(*start)
        assert q.dtype == v.dtype == np.float32
        first = energy_of_double_pendulums(*start)[:, None]
        return np.abs(energy_of_double_pendulums(q, v) - first).mean() / 29.4

    assert drift(compensated) < 1e-5
    assert drift(summed) > 2.5 * drift(compensated)


def test_a_hundred_thousand_tiny_steps_end_where_the_closed_form_says(float32):
    """A fall of 10 s by 0.1 ms: each step adds less to q and q̇ than their last digits hold."""
    steps, dt, g, q, v = 100_000, 1e-4, 9.8, np.ones(1, np.float32), np.full(1, 3.0, np.float32)

    def fall(q, v):
        return jnp.full_like(q, -g)

    found, speed = jax.jit(
        lambda q, v: integrate.rollout(fall, q, v, dt=steps * dt, steps=1, substeps=steps)
    )(100 * q, v)
    eps = np.finfo(np.float32).eps
    np.testing.assert_allclose(found[-1], 100 + 3 * 10 - g / 2 * 10**2, rtol=4 * eps)
    np.testing.assert_allclose(speed[-1], 3 - g * 10, rtol=4 * eps)


def test_the_compensation_leaves_no_trace_in_the_gradient(float32):
    """q(T) of an oscillator is linear in its start: ∂q/∂q₀ = cos T, ∂q/∂q̇₀ = sin T."""

    def last(q, v):
        return integrate.rollout(oscillate, q, v, dt=1.0, steps=3, substeps=100)[0][-1, 0]

    found = jax.jit(jax.grad(last, (0, 1)))(np.float32([0.4]), np.float32([-1.1]))
    np.testing.assert_allclose(np.hstack(found), [np.cos(3), np.sin(3)], atol=1e-5)


# --- Motions known exactly ---------------------------------------------------------------------


def swing(t, top, g=9.8, l=1.3):
    """A pendulum let go at rest from the angle `top`, by Jacobi's elliptic functions."""
    k, frequency = np.sin(top / 2), np.sqrt(g / l)
    sn, cn, dn, _ = ellipj(ellipk(k**2) - frequency * t, k**2)
    return 2 * np.arcsin(k * sn), -2 * k * frequency * cn * dn / np.sqrt(1 - k**2 * sn**2)


@pytest.mark.parametrize("dt", [0.1, -0.1])
def test_a_swing_is_an_elliptic_function(dt):
    pendulum, top = Pendulum(mass=0.4, length=1.3), 2.5
    start, t = (np.array([top]), np.array([0.0])), dt * np.arange(41)
    truth = np.stack(swing(t, top), axis=1)

    by_scipy = integrate.reference(pendulum.acceleration, *start, dt=dt, steps=40)
    np.testing.assert_allclose(np.hstack(by_scipy), truth, atol=1e-10)
    assert {type(x) for x in by_scipy} == {np.ndarray}
    by_rk4 = integrate.rollout(pendulum.acceleration, *start, dt=dt, steps=40, substeps=20)
    np.testing.assert_allclose(np.hstack(by_rk4), truth, atol=1e-6)
    q, p = integrate.variational_rollout(pendulum.lagrangian, *start, dt=dt, steps=40, substeps=20)
    np.testing.assert_allclose(np.hstack([q, p / (0.4 * 1.3**2)]), truth, atol=1e-2)


def test_a_throw_is_a_parabola_exactly():
    """Both methods are exact for a constant force; the midpoint rule also for p."""
    ball = FallingBall(mass=2.0)
    t = 0.25 * np.arange(9)[:, None]
    q, v = np.array([1.0, 2.0]), np.array([3.0, -1.0])
    truth = q + v * t - 0.5 * np.array([9.8, 0]) * t**2
    found, speed = integrate.rollout(ball.acceleration, q, v, dt=0.25, steps=8)
    np.testing.assert_allclose(found, truth, atol=1e-12)
    np.testing.assert_allclose(speed, v - np.array([9.8, 0]) * t, atol=1e-12)
    found, p = integrate.variational_rollout(ball.lagrangian, q, v, dt=0.25, steps=8)
    np.testing.assert_allclose(found, truth, atol=1e-12)
    np.testing.assert_allclose(p, 2 * speed, atol=1e-12)


def test_substeps_refine_the_motion_between_the_frames():
    frames = {"dt": 0.1, "steps": 4, "substeps": 5}
    coarse = integrate.rollout(SPRING.acceleration, *START, **frames)
    fine = integrate.rollout(SPRING.acceleration, *START, dt=0.02, steps=20)
    for a, b in zip(coarse, fine, strict=True):
        assert a.shape == (5, 2)
        np.testing.assert_allclose(a, b[::5], atol=1e-12)
    for a, start in zip(coarse, START, strict=True):
        np.testing.assert_array_equal(a[0], start)
    motion = dop853(*START, 0.4)
    np.testing.assert_allclose(np.concatenate([x[-1] for x in coarse]), motion, atol=1e-4)


def test_the_reference_works_in_single_precision_as_far_as_that_goes(float32):
    found, _ = integrate.reference(oscillate, [1.0], [0.0], dt=0.5, steps=8)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found[:, 0], np.cos(0.5 * np.arange(9)), atol=1e-4)


def test_the_reference_says_where_a_motion_ends():
    start = np.array([1.0]), np.array([1.0])
    with pytest.raises(RuntimeError, match=r"at t = 0 the motion is not finite"):
        integrate.reference(lambda q, v: q * jnp.nan, *start, dt=0.1, steps=3)
    with pytest.raises(RuntimeError, match=r"DOP853 stopped after 1 frames|motion is not finite"):
        integrate.reference(lambda q, v: 100 * q**3, *start, dt=1.0, steps=3)  # q → ∞ at t ≈ 0.1


# --- Rollouts are differentiable functions -----------------------------------------------------


@jax.jit
def last_of_oscillator(stiffness, q, v):
    def L(q, v):
        return 0.5 * v @ v - 0.5 * stiffness * q @ q

    q, v = integrate.rollout(mechanics.acceleration(L), q, v, dt=0.02, steps=10, substeps=5)
    return q[-1, 0]


def test_gradient_of_the_last_state_is_that_of_the_solution():
    """q(T) = q₀ cos ωT + q̇₀ sin(ωT)/ω, by the stiffness ω², the start and its velocity."""
    k, q, v, T = 4.0, 0.8, 1.5, 0.2
    w, slope = np.sqrt(k), 1 / (2 * np.sqrt(k))  # slope: dω/dk
    s, c = np.sin(w * T), np.cos(w * T)
    expected = (-q * T * s + v * (T * c / w - s / w**2)) * slope, c, s / w
    found = jax.grad(last_of_oscillator, argnums=(0, 1, 2))(k, np.array([q]), np.array([v]))
    np.testing.assert_allclose(np.hstack(found), expected, atol=1e-9)


def test_gradients_pass_through_jit_and_vmap():
    gradient = jax.jit(jax.vmap(jax.grad(last_of_oscillator), in_axes=(0, None, None)))
    stiffness, q, v, h = np.array([1.0, 4.0, 9.0]), np.array([0.8]), np.array([1.5]), 1e-5
    values = jax.vmap(last_of_oscillator, in_axes=(0, None, None))
    differences = (values(stiffness + h, q, v) - values(stiffness - h, q, v)) / (2 * h)
    np.testing.assert_allclose(gradient(stiffness, q, v), differences, atol=1e-9)


def test_gradient_of_a_variational_motion_equals_finite_differences():
    @jax.jit
    def last(gravity):
        swing = Pendulum(gravity=gravity)
        start = np.array([1.0]), np.array([0.5])
        return integrate.variational_rollout(swing.lagrangian, *start, dt=0.05, steps=10)[0][-1, 0]

    h = 1e-5
    difference = (last(9.8 + h) - last(9.8 - h)) / (2 * h)
    np.testing.assert_allclose(jax.jit(jax.grad(last))(9.8), difference, rtol=1e-7)


def test_a_batch_of_rollouts_is_each_of_them():
    q = np.array([[1.1, 0.2], [1.4, -0.9], [0.9, 2.0]])
    v = np.zeros_like(q)

    def one(q, v):
        return integrate.rollout(SPRING.acceleration, q, v, dt=0.05, steps=4)

    batch = jax.jit(jax.vmap(one))(q, v)
    for i in range(3):
        for found, expected in zip(batch, jax.jit(one)(q[i], v[i]), strict=True):
            np.testing.assert_allclose(found[i], expected, atol=1e-13)


# --- First-order equations ---------------------------------------------------------------------


def test_hamiltons_equations_are_a_flow():
    """The pendulum by (θ, p) is the pendulum by (θ, θ̇)."""
    pendulum = Pendulum(mass=2.0, length=0.7)
    inertia = 2.0 * 0.7**2

    def hamiltonian(q, p):
        return 0.5 * (p @ p) / inertia - 2.0 * 9.8 * 0.7 * jnp.cos(q[0])

    frames, start = {"dt": 0.1, "steps": 30, "substeps": 20}, (np.array([1.0]), np.array([0.5]))
    q, p = integrate.flow(
        mechanics.hamilton_equations(hamiltonian), start[0], inertia * start[1], **frames
    )
    expected, q_dot = integrate.rollout(pendulum.acceleration, *start, **frames)
    np.testing.assert_allclose(q, expected, atol=1e-6)
    np.testing.assert_allclose(p, inertia * q_dot, atol=1e-5)


@pytest.mark.parametrize(
    "slope", [lambda q, y: y, lambda q, y: (y, y, y), lambda q, y: (y, y[0]), lambda q, y: 3.0]
)
def test_a_slope_of_another_shape_is_refused(slope):
    with pytest.raises(ValueError, match=r"slope to return two of q's shape \(2,\), got"):
        integrate.flow(slope, np.ones(2), np.ones(2), dt=0.1, steps=2)


def test_bad_input_of_a_flow_is_named():
    with pytest.raises(ValueError, match="q and y of one shape"):
        integrate.flow(lambda q, y: (y, -q), np.ones(2), np.ones(1), dt=0.1, steps=2)
    with pytest.raises(TypeError, match="slope to be a function"):
        integrate.flow(None, np.ones(2), np.ones(2), dt=0.1, steps=2)


# --- Where a motion ends -----------------------------------------------------------------------


def test_a_motion_that_runs_away_says_when_and_where():
    """q̈ = q³ from q = q̇ = 1 has q = √2/(t∞ − t) for large q: gone near t = 1.2."""
    with pytest.raises(FloatingPointError, match=r"after t = 1\.\d, at \(.*try more substeps"):
        integrate.rollout(lambda q, v: q**3, np.ones(1), np.ones(1), dt=0.1, steps=40, substeps=4)
    with pytest.raises(FloatingPointError, match="after t ="):
        integrate.flow(lambda q, y: (y, q**3), np.ones(1), np.ones(1), dt=0.1, steps=40)


def test_a_motion_that_runs_away_under_a_traced_time_is_left_to_the_caller():
    def last(t):
        return integrate.rollout(lambda q, v: q**3, np.ones(1), np.ones(1), dt=1.0, steps=9, t=t)[
            0
        ][-1, 0]

    assert not np.isfinite(jax.value_and_grad(last)(0.0)[0])


def test_mapped_motions_are_left_to_the_caller():
    """One of many may run away: its values are not finite, the others' are."""
    starts = np.array([[0.1], [1.0]])
    q, _ = jax.vmap(
        lambda q: integrate.rollout(lambda q, v: q**3, q, q, dt=0.1, steps=40, substeps=4)
    )(starts)
    assert np.isfinite(q[0]).all()
    assert not np.isfinite(q[1]).all()
