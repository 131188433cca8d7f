"""Forces beside a Lagrangian, and explicit time: against hand derivations and closed forms."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import integrate, mechanics, models
from tests.test_mechanics import by_hand, close, draw, lagrangian_of, orders_mixed

pytestmark = pytest.mark.usefixtures("float64")

Q0, V0, T0 = np.array([0.7, -1.1]), np.array([0.4, 2.0]), 0.8

# --- The equation of motion --------------------------------------------------------------------


def driven_lagrangian(c):
    """The family of `test_mechanics`, with a momentum cos(t) κ and a mass matrix e^{t/5} M."""
    still = lagrangian_of(c)

    def lagrangian(q, q_dot, t):
        return jnp.exp(0.2 * t) * still(q, q_dot) + jnp.cos(t) * c["kappa"] @ q_dot

    return lagrangian


def force_of(c):
    def force(q, q_dot, t):
        return -c["lam"] * q_dot * jnp.abs(q_dot) + jnp.sin(3 * t) * c["G"] @ q

    return force


def driven_by_hand(c, q, v, t):
    """M q̈ + … of the family times e^{t/5}, so ṗ gains p/5, and −sin(t) κ from the momentum."""
    p, M, _, a = by_hand(c, q, v)
    force = -c["lam"] * v * np.abs(v) + np.sin(3 * t) * c["G"] @ q
    push = force + np.sin(t) * c["kappa"]
    return a + np.linalg.solve(M, push * np.exp(-0.2 * t) - 0.2 * p)


def along_a_line(f):
    """w · f along a line in the space of all coefficients, states and times."""
    here, there = (*draw(3, 2), T0), (*draw(4, 2), 0.6)

    def value(s):
        point = jax.tree.map(lambda x, dx: x + s * dx, here, there)
        return np.array([1.0, -2.0]) @ f(*point)

    return value


def test_every_derivative_with_a_force_and_time_is_that_of_the_equation_by_hand():
    """By parameters of 𝓛 and of Q, position, velocity and time at once."""

    def ours(c, q, v, t):
        return mechanics.acceleration(driven_lagrangian(c), force=force_of(c))(q, v, t)

    found = jax.jit(lambda s: orders_mixed(along_a_line(ours), s))(0.0)
    hand, width = along_a_line(driven_by_hand), 0.06
    nodes = width * np.cos(np.pi * (np.arange(13) + 0.5) / 13)
    fit = np.polynomial.chebyshev.Chebyshev.fit(
        nodes, [hand(s) for s in nodes], 12, domain=[-width, width]
    )
    for order, values in found.items():
        np.testing.assert_allclose(values, fit.deriv(order)(0.0) if order else hand(0.0), rtol=1e-6)


def test_the_residual_the_papers_formula_and_the_balance_of_energy_know_force_and_time():
    """dE/dt = q̇·Q − ∂𝓛/∂t along the motion."""
    c, q, v = draw(5, 2)
    L, Q = driven_lagrangian(c), force_of(c)

    @jax.jit
    def found(q, v, t):
        a = mechanics.acceleration(L, "pinv", Q)(q, v, t)
        energy = mechanics.energy(L)
        return {
            "a": a,
            "residual": mechanics.euler_lagrange(L, Q)(q, v, a, t),
            "off": mechanics.euler_lagrange(L, Q)(q, v, a + 1, t),
            "M": mechanics.mass_matrix(L)(q, v, t),
            "dE/dt": jax.jvp(energy, (q, v, t), (v, a, 1.0))[1],
            "balance": v @ Q(q, v, t) - jax.grad(L, 2)(q, v, t),
            "p": mechanics.momentum(L)(q, v, t),
        }

    got = found(q, v, T0)
    p, M, _, _ = by_hand(c, q, v)
    close(got["a"], driven_by_hand(c, q, v, T0), rtol=1e-9)
    close(got["residual"], np.zeros(2), rtol=1e-9)
    close(got["off"], got["M"] @ np.ones(2), rtol=1e-9)
    close(got["M"], np.exp(0.2 * T0) * M)
    close(got["p"], np.exp(0.2 * T0) * p + np.cos(T0) * c["kappa"])
    close(got["dE/dt"], got["balance"], rtol=1e-9)
    assert abs(got["balance"]) > 0.1


@pytest.mark.parametrize("method", ["solve", "pinv"])
def test_caldirola_and_kanai_make_friction_from_a_growing_mass(method):
    """𝓛 = e^{γt} (½ q̇² − ½ ω² q²) gives q̈ = −γ q̇ − ω² q: all of the friction is ∂p/∂t."""

    def L(q, q_dot, t):
        return jnp.exp(0.3 * t) * (0.5 * q_dot @ q_dot - 0.5 * 4.0 * q @ q)

    found = mechanics.acceleration(L, method)(Q0, V0, 2)  # a whole number is a time
    close(found, -0.3 * V0 - 4.0 * Q0)


def test_a_force_that_is_forgotten_by_no_gradient():
    """q̈ = −γ q̇ / m: ∂q̈/∂γ = −q̇/m."""

    def speed(gamma):
        L, Q = (lambda q, v: 0.5 * 2.0 * v @ v), (lambda q, v: -gamma * v)
        return mechanics.acceleration(L, force=Q)(Q0, V0)

    close(jax.jacobian(speed)(0.7), -V0 / 2.0)


def test_rayleighs_dissipation_is_a_force_that_takes_twice_its_power():
    C = np.array([[2.0, 0.5], [0.5, 1.0]])
    Q = mechanics.rayleigh(lambda q, q_dot: 0.5 * q_dot @ C @ q_dot)
    close(Q(Q0, V0), -C @ V0)
    close(V0 @ Q(Q0, V0), -2 * (0.5 * V0 @ C @ V0))
    fading = mechanics.rayleigh(lambda q, q_dot, t: 0.5 * jnp.exp(-t) * q_dot @ C @ q_dot)
    close(fading(Q0, V0, T0), -np.exp(-T0) * C @ V0)


def test_hamiltons_momentum_feels_the_force_at_the_velocity():
    """ṗ = −∂H/∂q + Q(q, q̇), with q̇ = p/m and not p."""

    def H(q, p, t):
        return p @ p / (2 * 2.0) + 0.5 * t * q @ q

    q_dot, p_dot = mechanics.hamilton_equations(H, lambda q, v: -0.3 * v)(Q0, 2.0 * V0, T0)
    close(q_dot, V0)
    close(p_dot, -T0 * Q0 - 0.3 * V0)


def test_momenta_that_depend_on_time_are_canonical():
    """p = e^t q̇: {q, p} = 1, and {q, q̇} = e^{−t}."""

    def L(q, q_dot, t):
        return 0.5 * jnp.exp(t) * q_dot @ q_dot

    momenta = mechanics.poisson_brackets(L, lambda q, v, t: (q, jnp.exp(t) * v))
    velocities = mechanics.poisson_brackets(L, lambda q, v: (q, v))
    close(momenta(Q0, V0, T0)[:2, 2:], np.eye(2))
    close(velocities(Q0, V0, T0)[:2, 2:], np.exp(-T0) * np.eye(2))
    assert not mechanics.is_canonical(L, lambda q, v: (q, v))(Q0, V0, T0)


def test_of_three_precisions_the_finest_counts():
    """A residual of 1e-9 is below what float32 holds beside 1."""
    residual = mechanics.euler_lagrange(lambda q, v: 0.5 * v @ v)
    one = np.ones(1, np.float32)
    close(residual(one, one, np.array([1 + 1e-9])), [1 + 1e-9], rtol=1e-12)


# --- What is no force and no time --------------------------------------------------------------


def free(q, q_dot):
    return 0.5 * q_dot @ q_dot


@pytest.mark.parametrize(
    ("force", "got"),
    [
        (lambda q, v: q[:1], r"\(1,\)"),
        (lambda q, v: q[:, None], r"\(2, 1\)"),
        (lambda q, v: q[0], r"\(\)"),
    ],
)
def test_a_force_that_would_broadcast_is_refused(force, got):
    with pytest.raises(ValueError, match=rf"expected force to return q's shape \(2,\), got {got}"):
        mechanics.acceleration(free, force=force)(Q0, V0)


def test_a_third_argument_is_the_time_and_nothing_else():
    with pytest.raises(TypeError, match="also needs g: bind that beforehand, and call a time t"):
        mechanics.acceleration(lambda q, q_dot, g: g * q @ q)
    with pytest.raises(TypeError, match=r"force of .* also needs time"):
        mechanics.acceleration(free, force=lambda q, q_dot, time: -q)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 't'"):
        mechanics.acceleration(lambda q, q_dot, t: t * q @ q)(Q0, V0)
    with pytest.raises(ValueError, match="expected t to be finite, got nan"):
        mechanics.acceleration(lambda q, q_dot, t: t * q @ q)(Q0, V0, np.nan)


def test_what_takes_time_is_told_by_its_argument():
    def timed(q, q_dot, t):
        return -q * t

    assert mechanics.takes_time(jax.jit(timed))
    assert mechanics.takes_time(partial(timed, Q0))
    assert mechanics.takes_time(mechanics.acceleration(free, force=timed))
    assert not mechanics.takes_time(mechanics.acceleration(free))
    frozen = partial(timed, t=2.0)  # time stands still: q̈ = −2 q from 1, at rest
    assert not mechanics.takes_time(frozen)
    assert not mechanics.takes_time(jax.jit(frozen))
    start = {"q": np.ones(1), "q_dot": np.zeros(1), "dt": 0.1, "steps": 5, "substeps": 4}
    q, _ = integrate.rollout(frozen, **start)
    np.testing.assert_allclose(q[:, 0], np.cos(np.sqrt(2) * 0.1 * np.arange(6)), atol=1e-8)
    with pytest.raises(TypeError, match=r"a function of \(q, q_dot, t\), got .* \(t, q, q_dot\)"):
        integrate.rollout(lambda t, q, q_dot: -q, **start)
    assert not mechanics.takes_time(jnp.sin)


# --- Motions -----------------------------------------------------------------------------------


def driven(t, start=T0, gamma=0.2, drive=1.3):
    """ẍ + 2γẋ + x = cos(drive t) through x = 1, ẋ = −0.5 at the start, in closed form."""
    response = 1 / (1 - drive**2 + 2j * gamma * drive)
    steady, slope = (
        lambda t: (response * np.exp(1j * drive * t)).real,
        lambda t: (1j * drive * response * np.exp(1j * drive * t)).real,
    )
    w = np.sqrt(1 - gamma**2)
    a, b = 1.0 - steady(start), -0.5 - slope(start)
    s, c, decay = np.sin(w * (t - start)), np.cos(w * (t - start)), np.exp(-gamma * (t - start))
    x = decay * (a * c + (b + gamma * a) / w * s)
    v = -gamma * x + decay * (-a * w * s + (b + gamma * a) * c)
    return np.stack([x + steady(t), v + slope(t)], axis=1)


def oscillator(q, q_dot):
    return 0.5 * q_dot @ q_dot - 0.5 * q @ q


def damped_and_driven(q, q_dot, t):
    return -0.4 * q_dot + jnp.cos(1.3 * t)


START = np.array([1.0]), np.array([-0.5])
FRAMES = {"dt": 0.25, "steps": 12, "t": T0}
TRUTH = driven(T0 + 0.25 * np.arange(13))


def test_a_driven_and_damped_oscillator_follows_its_closed_form():
    acceleration = mechanics.acceleration(oscillator, force=damped_and_driven)
    slope = mechanics.hamilton_equations(lambda q, p: 0.5 * p @ p + 0.5 * q @ q, damped_and_driven)
    by_rk4 = integrate.rollout(acceleration, *START, **FRAMES, substeps=10)
    by_flow = integrate.flow(slope, *START, **FRAMES, substeps=10)
    by_scipy = integrate.reference(acceleration, *START, **FRAMES)
    for found, atol in ((by_rk4, 1e-7), (by_flow, 1e-7), (by_scipy, 1e-10)):
        np.testing.assert_allclose(np.hstack(found), TRUTH, atol=atol)


def test_stages_of_a_step_know_their_times_so_the_order_stays_four():
    acceleration = mechanics.acceleration(oscillator, force=damped_and_driven)
    errors = []
    for n in (8, 16):
        state = START
        for k in range(n):
            state = integrate.rk4_step(acceleration, *state, 3 / n, T0 + 3 * k / n)
        errors.append(np.abs(np.concatenate(state) - TRUTH[-1]).max())
    assert 13 < errors[0] / errors[1] < 22


@pytest.mark.parametrize("order", [2, 4])
def test_the_forced_variational_step_is_of_its_order(order):
    """Lagrange and d'Alembert in discrete time; here also p = q̇ + sin t, by a gauge term."""

    def L(q, q_dot, t):
        return oscillator(q, q_dot) + jnp.sin(t) * q_dot[0] + jnp.cos(t) * q[0]

    @partial(jax.jit, static_argnums=0)
    def motion(substeps):
        return integrate.variational_rollout(
            L, *START, **FRAMES, substeps=substeps, order=order, force=damped_and_driven
        )

    errors = []
    for substeps in (20 // order, 40 // order):
        q, p = motion(substeps)
        p = p - np.sin(T0 + 0.25 * np.arange(13))[:, None]
        errors.append(np.abs(np.hstack([q, p]) - TRUTH).max())
    assert errors[1] < 1e-3
    assert 0.9 * 2**order < errors[0] / errors[1] < 1.1 * 2**order


# --- Lagrangians without a mass matrix ---------------------------------------------------------


def vortices(q, q_dot):
    """Two vortices of strength Γ = 2π: 𝓛 = ½ Γ Σ (y ẋ − x ẏ) + (Γ²/2π) log |r₁ − r₂|."""
    (x1, y1, x2, y2), (u1, v1, u2, v2) = q, q_dot
    turning = y1 * u1 - x1 * v1 + y2 * u2 - x2 * v2
    return np.pi * turning + np.pi * jnp.log((x1 - x2) ** 2 + (y1 - y2) ** 2)


def test_two_vortices_circle_each_other():
    """… with the angular velocity Γ/(π d²) = 2/d², though they have no mass."""
    start = np.array([0.5, 0.0, -0.5, 0.0])
    q, _ = jax.jit(
        lambda q: integrate.variational_rollout(vortices, q, jnp.zeros(4), dt=0.05, steps=40)
    )(start)
    angle = 2.0 * 0.05 * np.arange(41)
    np.testing.assert_allclose(q[:, 0], 0.5 * np.cos(angle), atol=0.02)
    np.testing.assert_allclose(q[:, 1], 0.5 * np.sin(angle), atol=0.02)


def massless_charge(q, q_dot):
    """A charge without mass in B = 2 and in the potential ½ q·q: it drifts, q̇ = ½ (−y, x)."""
    return 0.5 * 2.0 * (q[0] * q_dot[1] - q[1] * q_dot[0]) - 0.5 * q @ q


def test_a_massless_charge_drifts_across_the_force():
    q, _ = jax.jit(
        lambda q: integrate.variational_rollout(massless_charge, q, q, dt=0.1, steps=20)
    )(np.array([1.0, 0.0]))
    angle = 0.5 * 0.1 * np.arange(21)
    np.testing.assert_allclose(q, np.stack([np.cos(angle), np.sin(angle)], 1), atol=0.01)


@pytest.mark.parametrize(
    "lagrangian", [massless_charge, lambda q, v: q[0] * v[1] - q @ q], ids=["charge", "half"]
)
def test_a_rollout_without_a_mass_matrix_says_so(lagrangian):
    with pytest.raises(FloatingPointError, match=r"at t = 0, at .* mass matrix is singular"):
        integrate.rollout(mechanics.acceleration(lagrangian), Q0, V0, dt=0.1, steps=3)


# --- Newton's method inside of a variational step ----------------------------------------------


def test_a_fast_particle_keeps_its_variational_step_below_the_speed_of_light():
    """𝓛 = −√(1 − q̇²) + g q: p = p₀ + g t. From a step of zero, Newton's first one would be p dt."""

    def L(q, q_dot):
        return -jnp.sqrt(1 - q_dot @ q_dot) + 0.5 * q[0]

    p0 = 5.0
    start = np.array([0.0]), np.array([p0 / np.hypot(1, p0)])
    q, p = jax.jit(lambda *x: integrate.variational_rollout(L, *x, dt=0.2, steps=10))(*start)
    np.testing.assert_allclose(p[:, 0], p0 + 0.5 * 0.2 * np.arange(11), atol=1e-9)
    # x(t) = (√(1 + p²) − √(1 + p₀²))/g
    x = (np.hypot(1, p[:, 0]) - np.hypot(1, p0)) / 0.5
    np.testing.assert_allclose(q[:, 0], x, atol=1e-3)


def test_a_variational_step_that_is_not_found_is_no_number():
    def L(q, q_dot):
        return -jnp.sqrt(1 - q_dot @ q_dot)

    with pytest.raises(FloatingPointError, match="no variational step was found from"):
        integrate.variational_step(L, np.zeros(1), np.array([5.0]), 0.1)
    with pytest.raises(FloatingPointError, match="no variational step was found after t = "):
        integrate.variational_rollout(
            lambda q, v: 0.5 * v @ v - jnp.cos(40 * q[0]), np.ones(1), np.ones(1), dt=1.0, steps=2
        )


def test_newtons_method_is_judged_by_the_step_and_not_by_where_it_is_made():
    """A pendulum of ω² = 50, dt = 0.3: far from found after 3 iterations, wherever its cart is."""

    def L(q, q_dot):
        return 0.5 * q_dot @ q_dot + 50 * jnp.cos(q[1])

    for cart in (0.0, 1e9):
        with pytest.raises(FloatingPointError, match="no variational step was found"):
            integrate.variational_step(L, np.array([cart, 2.5]), np.zeros(2), 0.3, iterations=3)


def test_what_rests_at_the_origin_rests_in_single_precision_too(float32):
    """There V is even; and p, of a term that is linear in q̇, is not zero, so that it has digits."""
    model = models.LNN(dim=2, width=16)
    params = model.init(jax.random.key(0))

    def L(q, q_dot):
        return model.lagrangian(params, q, q_dot) + model.lagrangian(params, -q, q_dot)

    rest = np.zeros(2, np.float32)
    q, p = integrate.variational_rollout(L, rest, rest, dt=0.01, steps=30)
    assert np.abs(q).max() < 1e-7
    assert np.abs(p).max() > 0.01


def test_a_constant_in_double_precision_leaves_a_variational_step_in_single():
    single = np.ones(1, np.float32), np.zeros(1, np.float32)
    found = integrate.variational_step(
        lambda q, v: 0.5 * v @ v, *single, 0.1, force=lambda q, v: np.ones(1)
    )
    assert {x.dtype for x in found} == {np.dtype(np.float32)}
    np.testing.assert_allclose(np.hstack(found), [1.005, 0.1], rtol=1e-6)


def test_a_field_that_explodes_is_not_printed_as_a_whole():
    with pytest.raises(FloatingPointError, match="try more substeps") as caught:
        integrate.rollout(lambda q, v: q**3, np.full(1000, 9.0), np.ones(1000), dt=1.0, steps=3)
    assert len(str(caught.value)) < 300
