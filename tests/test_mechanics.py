"""Mechanics from a scalar, held against hand derivations, finite differences and conservation laws.

The facts are tested on a family of Lagrangians with random coefficients in d = 1 … 4 coordinates:
a mass that depends on place and on speed, a force that depends on the velocity, an anharmonic
potential. Its equations of motion are derived by hand here and evaluated by NumPy.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from lnn_tutorial import mechanics
from lnn_tutorial.systems import SpringPendulum

pytestmark = pytest.mark.usefixtures("float64")

dims = st.sampled_from([1, 3])
seeds = st.integers(0, 2**32 - 1)
methods = pytest.mark.parametrize("method", ["solve", "pinv"])

SPRING = SpringPendulum(mass=1.7)


def omega(d):
    return np.block([[np.zeros((d, d)), np.eye(d)], [-np.eye(d), np.zeros((d, d))]])


# --- A family of Lagrangians and its equations of motion, by hand ------------------------------


def draw(seed, d):
    """Random coefficients and a random state."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(d, d)) / np.sqrt(d)
    k = rng.normal(size=(d, d))
    coefficients = {
        "G": np.eye(d) + a @ a.T,  # mass at rest
        "beta": rng.uniform(0, 2),  # the mass grows with (sin κ·q)²
        "kappa": rng.normal(size=d),
        "gamma": rng.uniform(0, 0.5),  # … and with the speed
        "B": rng.normal(size=(d, d)),  # vector potential sin(B q)
        "K": k + k.T,  # springs
        "lam": rng.uniform(0, 1),  # … that stiffen
    }
    return coefficients, rng.uniform(-2, 2, d), rng.uniform(-2, 2, d)


def lagrangian_of(c):
    def lagrangian(q, q_dot):
        growth = 1 + c["beta"] * jnp.sin(c["kappa"] @ q) ** 2
        return (
            0.5 * growth * q_dot @ c["G"] @ q_dot
            + 0.25 * c["gamma"] * (q_dot @ q_dot) ** 2
            + jnp.sin(c["B"] @ q) @ q_dot
            - 0.5 * q @ c["K"] @ q
            - 0.25 * c["lam"] * jnp.sum(q**4)
        )

    return lagrangian


def by_hand(c, q, v):
    """p, M, E and q̈ of the family: derivatives taken on paper."""
    sin, cos, turn = np.sin(c["kappa"] @ q), np.cos(c["kappa"] @ q), np.cos(c["B"] @ q)
    growth, slope = 1 + c["beta"] * sin**2, 2 * c["beta"] * sin * cos
    Gv = c["G"] @ v
    p = growth * Gv + c["gamma"] * (v @ v) * v + np.sin(c["B"] @ q)
    M = growth * c["G"] + c["gamma"] * (v @ v * np.eye(len(q)) + 2 * np.outer(v, v))
    V = 0.5 * q @ c["K"] @ q + 0.25 * c["lam"] * np.sum(q**4)
    E = 0.5 * growth * v @ Gv + 0.75 * c["gamma"] * (v @ v) ** 2 + V
    dL_dq = (
        0.5 * slope * (v @ Gv) * c["kappa"] + c["B"].T @ (turn * v) - c["K"] @ q - c["lam"] * q**3
    )
    dp_dq_v = slope * (c["kappa"] @ v) * Gv + turn * (c["B"] @ v)
    return p, M, E, np.linalg.solve(M, dL_dq - dp_dq_v)


def close(found, expected, rtol=1e-10):
    """Equal to float64's precision, on the scale of the largest entry."""
    expected = np.asarray(expected)
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * (1 + abs(expected).max()))


@jax.jit
def everything(c, q, v):
    L = lagrangian_of(c)
    a = mechanics.acceleration(L)(q, v)
    return {
        "p": mechanics.momentum(L)(q, v),
        "M": mechanics.mass_matrix(L)(q, v),
        "E": mechanics.energy(L)(q, v),
        "solve": a,
        "pinv": mechanics.acceleration(L, method="pinv")(q, v),
        "residual": mechanics.euler_lagrange(L)(q, v, a),
        "residual off the motion": mechanics.euler_lagrange(L)(q, v, a + 1),
        "dE/dt": jax.jvp(mechanics.energy(L), (q, v), (v, a))[1],
        "dp/dt": jax.jvp(jax.grad(L, 1), (q, v), (v, a))[1],
    }


# --- Euler–Lagrange ----------------------------------------------------------------------------


@given(dims, seeds)
def test_equations_of_motion_are_those_derived_by_hand(d, seed):
    c, q, v = draw(seed, d)
    p, M, E, a = by_hand(c, q, v)
    found = everything(c, q, v)
    close(found["p"], p)
    close(found["M"], M)
    close(found["E"], E)
    close(found["solve"], a, rtol=1e-9)
    close(found["pinv"], a, rtol=1e-9)


@given(dims, seeds)
def test_euler_lagrange_residual_is_mass_times_missed_acceleration(d, seed):
    c, q, v = draw(seed, d)
    found = everything(c, q, v)
    close(found["residual off the motion"], by_hand(c, q, v)[1] @ np.ones(d), rtol=1e-9)
    close(found["residual"] / np.abs(found["dp/dt"]).max(), np.zeros(d), rtol=1e-11)


@given(dims, seeds)
def test_energy_does_not_change_along_the_motion(d, seed):
    c, q, v = draw(seed, d)
    found = everything(c, q, v)
    power = np.abs(v) @ np.abs(found["dp/dt"])  # what flows from one form into another
    assert abs(found["dE/dt"]) < 1e-11 * (1 + power)


@given(dims, seeds)
def test_momentum_of_a_cyclic_coordinate_does_not_change(d, seed):
    c, q, v = draw(seed, d)
    c["lam"], c["kappa"][0], c["B"][:, 0] = 0.0, 0, 0  # 𝓛 no longer depends on q₀
    c["K"][0], c["K"][:, 0] = 0, 0
    found = everything(c, q, v)["dp/dt"]
    assert abs(found[0]) < 1e-11 * (1 + np.abs(found).max())
    assert d == 1 or np.abs(found[1:]).max() > 1e-3  # the others do change


@jax.jit
def in_disguise(c, A, scale, gauge, Q, V):
    """The same physics told otherwise: q = A Q, and 𝓛' = scale · 𝓛 + gauge · dF/dt."""
    L = lagrangian_of(c)

    def F(q):
        return jnp.sum(jnp.sin(c["B"] @ q)) * jnp.cos(q[0]) + q @ c["K"] @ q

    def other(Q, V):
        q, v = A @ Q, A @ V
        return scale * L(q, v) + gauge * jax.jvp(F, (q,), (v,))[1]

    return mechanics.acceleration(other)(Q, V), mechanics.energy(other)(Q, V)


@given(dims, seeds)
def test_acceleration_is_a_vector_under_a_linear_change_of_coordinates(d, seed):
    c, Q, V = draw(seed, d)
    A = draw(seed + 1, d)[0]["G"]
    _, _, E, a = by_hand(c, A @ Q, A @ V)
    q_ddot, energy = in_disguise(c, A, 1.0, 0.0, Q, V)
    close(A @ q_ddot, a, rtol=1e-8)
    close(energy, E)


@given(dims, seeds, st.sampled_from([-3.0, -0.01, 0.2, 1.0, 1e3]))
def test_a_scale_and_a_total_derivative_leave_the_motion_as_it_is(d, seed, scale):
    c, q, v = draw(seed, d)
    _, _, E, a = by_hand(c, q, v)
    q_ddot, energy = in_disguise(c, np.eye(d), scale, 1.0, q, v)
    close(q_ddot, a, rtol=1e-7)
    close(energy, scale * E, rtol=1e-9)  # the energy feels the scale, and no gauge


@methods
@given(r=st.floats(0.2, 3), theta=st.floats(-4, 4), r_dot=st.floats(-5, 5), w=st.floats(-5, 5))
@settings(max_examples=15)
def test_spring_pendulum_moves_alike_in_cartesian_and_polar_coordinates(method, r, theta, r_dot, w):
    s, c = np.sin(theta), np.cos(theta)
    e_r, e_theta = np.array([s, -c]), np.array([c, s])  # x = r e_r, y upward
    q, v = r * e_r, r_dot * e_r + r * w * e_theta
    r_ddot, theta_ddot = spring_polar(np.array([r, theta]), np.array([r_dot, w]), method)
    expected = (r_ddot - r * w**2) * e_r + (r * theta_ddot + 2 * r_dot * w) * e_theta
    # By Newton: a spring along e_r and the weight.
    newton = -SPRING.stiffness / SPRING.mass * (r - SPRING.rest_length) * e_r
    newton = newton - np.array([0, SPRING.gravity])
    close(spring_cartesian(q, v, method), newton, rtol=1e-9)
    close(expected, newton, rtol=1e-9)


def _spring_in_cartesian_coordinates(q, v):
    stretch = jnp.sqrt(q @ q) - SPRING.rest_length
    weight = SPRING.mass * SPRING.gravity * q[1]
    return 0.5 * SPRING.mass * v @ v - 0.5 * SPRING.stiffness * stretch**2 - weight


def spring_cartesian(q, v, method):
    return _jitted[method, "cartesian"](q, v)


def spring_polar(q, v, method):
    return _jitted[method, "polar"](q, v)


_jitted = {
    (method, name): jax.jit(mechanics.acceleration(lagrangian, method=method))
    for method in ("solve", "pinv")
    for name, lagrangian in [
        ("cartesian", _spring_in_cartesian_coordinates),
        ("polar", SPRING.lagrangian),
    ]
}


def charge_in_magnetic_field(mass, charge, field):
    """𝓛 = ½ m q̇·q̇ + e q̇·A with A = ½ B × q: a constant field B."""

    def lagrangian(q, q_dot):
        return 0.5 * mass * q_dot @ q_dot + 0.5 * charge * q_dot @ jnp.cross(field, q)

    return lagrangian


def test_a_charge_feels_the_lorentz_force():
    mass, charge, B = 0.7, -1.3, np.array([0.4, -1.0, 2.0])
    q, v = np.array([1.0, -0.3, 0.5]), np.array([0.2, 0.9, -1.5])
    L = charge_in_magnetic_field(mass, charge, B)
    for method in ("solve", "pinv"):
        found = jax.jit(mechanics.acceleration(L, method=method))(q, v)
        close(found, charge / mass * np.cross(v, B))


def test_a_charge_circles_with_the_cyclotron_frequency():
    mass, charge, B, speed = 0.7, 1.3, 2.0, 1.5
    L = charge_in_magnetic_field(mass, charge, np.array([0, 0, B]))
    field = jax.jit(mechanics.acceleration(L))
    period, radius = 2 * np.pi * mass / (charge * B), mass * speed / (charge * B)

    motion = solve_ivp(
        lambda _, x: np.concatenate([x[3:], field(x[:3], x[3:])]),
        (0, period),
        [radius, 0, 0, 0, -speed, 0],  # a positive charge circles clockwise about the field
        t_eval=np.linspace(0, period, 9),
        method="DOP853",
        rtol=1e-11,
        atol=1e-11,
    )
    angle = 2 * np.pi * motion.t / period
    circle = radius * np.stack([np.cos(angle), -np.sin(angle), 0 * angle])
    np.testing.assert_allclose(motion.y[:3], circle, atol=1e-8)


# --- Derivatives of the acceleration, as training takes them -----------------------------------


def along_a_line(seed, method):
    """w · q̈ along a line in the space of all coefficients and states: a function of one number."""
    c, q, v = draw(seed, 2)
    dc, dq, dv = draw(seed + 1, 2)

    def point(t):
        return jax.tree.map(lambda x, dx: x + t * dx, (c, q, v), (dc, dq, dv))

    if method == "hand":
        return lambda t: np.array([1.0, -2.0]) @ by_hand(*point(t))[3]

    def value(t):
        c, q, v = point(t)
        return jnp.array([1.0, -2.0]) @ mechanics.acceleration(lagrangian_of(c), method=method)(
            q, v
        )

    return value


def with_slope(f):
    """f and f′, by forward mode."""
    return lambda t: jax.tree.leaves(jax.jvp(f, (t,), (1.0,)))


def orders_forward(f, t):
    """f once, f′ and f″ three times and f‴ once at t, by forward mode thrice."""
    nested = with_slope(with_slope(with_slope(f)))(t)
    return {
        0: nested[:1],
        1: nested[1:3] + nested[4:5],
        2: nested[3:7:2] + nested[6:7],
        3: nested[7:],
    }


def orders_mixed(f, t):
    """f, f′ twice and f″ at t, by forward over reverse mode."""
    f0, reverse, forward, f2 = with_slope(jax.value_and_grad(f))(t)
    return {0: [f0], 1: [reverse, forward], 2: [f2]}


@pytest.mark.parametrize("orders", [orders_forward, orders_mixed])
def test_first_second_and_third_derivatives_are_exact(orders):
    """By parameters, positions and velocities at once; finite differences of the hand formula."""
    ours, hand, width = along_a_line(3, "solve"), along_a_line(3, "hand"), 0.06
    found = jax.jit(lambda t: orders(ours, t))(0.0)

    # A polynomial through Chebyshev nodes: finite differences of high order.
    nodes = np.cos(np.pi * (np.arange(13) + 0.5) / 13)
    fit = np.polynomial.chebyshev.Chebyshev.fit(
        width * nodes, [hand(t) for t in width * nodes], 12, domain=[-width, width]
    )
    for order, values in found.items():
        rtol = [1e-9, 1e-8, 1e-7, 1e-5][order]
        expected = np.full(len(values), fit.deriv(order)(0.0))
        np.testing.assert_allclose(values, expected, rtol=rtol, err_msg=f"{order=}")


@partial(jax.jit, static_argnums=3)
def gradients(c, q, v, method):
    def value(c, q, v):
        w = jnp.array([1.0, -2.0])
        return w @ mechanics.acceleration(lagrangian_of(c), method=method)(q, v)

    return jax.grad(value, argnums=(0, 1, 2))(c, q, v)


@given(seeds)
def test_gradient_equals_that_of_the_papers_formula(seed):
    state = draw(seed, 2)
    ours, papers = gradients(*state, "solve"), gradients(*state, "pinv")
    for found, expected in zip(jax.tree.leaves(ours), jax.tree.leaves(papers), strict=True):
        close(found, expected, rtol=1e-7)


def test_gradient_in_single_precision_is_as_good_as_single_precision(float32):
    c, q, v = draw(3, 2)
    ours = jax.tree.map(np.asarray, gradients(c, q, v, "solve"))
    assert ours[1].dtype == np.float32
    eps, value = 1e-6, along_a_line(3, "hand")
    dc, dq, dv = draw(4, 2)
    slope = (value(eps) - value(-eps)) / (2 * eps)
    found = sum(np.sum(g * dx) for g, dx in zip(ours[1:], (dq, dv), strict=True))
    found += sum(np.sum(ours[0][name] * dc[name]) for name in dc)
    condition = np.linalg.cond(by_hand(c, q, v)[1])
    np.testing.assert_allclose(found, slope, rtol=50 * condition * np.finfo(np.float32).eps)


def test_acceleration_passes_through_jit_vmap_grad_scan_and_jvp_of_vjp():
    rng = np.random.default_rng(0)
    q, v, w, u = rng.normal(size=(4, 5, 2))

    def uses(acceleration):
        def step(total, state):
            return total + acceleration(*state), None

        def scanned(v):
            return jnp.sum(jax.lax.scan(step, jnp.zeros(2), (q, v))[0] ** 2)

        def hessian_vector(q, v):  # jvp of vjp
            def pulled_back(q):
                return jax.vjp(lambda q: acceleration(q, v), q)[1](w[0])[0]

            return jax.jvp(pulled_back, (q,), (u[0],))[1]

        return {
            "vmap": jax.vmap(acceleration)(q, v),
            "grad of scan": jax.grad(scanned)(v),
            "vmap of jvp of vjp": jax.vmap(hessian_vector)(q, v),
        }

    found = jax.jit(lambda: uses(mechanics.acceleration(SPRING.lagrangian)))()
    expected = jax.jit(lambda: uses(SPRING.acceleration))()
    for name in found:
        close(found[name], expected[name], rtol=1e-9)


def test_without_a_derivative_an_acceleration_costs_the_equation_of_motion_and_a_small_solve():
    """The residual, whose derivative carries the gradient, is not evaluated: nobody reads it."""
    c, q, v = draw(5, 4)
    L = lagrangian_of(c)

    def operations(f):
        return jax.jit(f).lower(q, v).compile().cost_analysis()["flops"]

    bare = operations(mechanics.equation_of_motion(L))
    residual = operations(lambda q, v: mechanics.euler_lagrange(L)(q, v, v))
    # Eliminating the 4 × 4 matrix takes some (2/3) d³ + 2 d² ≈ 75 operations.
    assert operations(mechanics.acceleration(L)) - bare < 200 < residual


# --- A mass matrix that cannot be inverted -----------------------------------------------------

SINGULAR = {
    "no mass at all": lambda q, v: -jnp.sum(q**2),
    "one coordinate without mass": lambda q, v: 0.5 * v[0] ** 2 - jnp.sum(q**2),
    "a constant": lambda q, v: 3.0,
}


@pytest.mark.parametrize("lagrangian", SINGULAR.values(), ids=SINGULAR.keys())
def test_a_singular_mass_matrix_shows(lagrangian):
    q, v = np.array([1.0, 2.0]), np.array([0.3, 0.4])
    acceleration, pinv, condition = jax.jit(
        lambda: (
            mechanics.acceleration(lagrangian)(q, v),
            mechanics.acceleration(lagrangian, method="pinv")(q, v),
            mechanics.condition_number(lagrangian)(q, v),
        )
    )()
    assert not np.isfinite(acceleration).all()
    assert np.isfinite(pinv).all()
    assert np.isposinf(condition)


def test_a_singular_mass_matrix_is_no_error_outside_of_jit_either():
    one = np.ones(1)
    assert not np.isfinite(mechanics.acceleration(lambda q, v: -q @ q)(one, one)).all()


def test_the_papers_formula_gives_the_least_acceleration_of_a_singular_system():
    def lagrangian(q, v):  # only the sum of the coordinates has a mass
        return 0.5 * (v[0] + v[1]) ** 2 - (q[0] + q[1])

    q = v = np.ones(2)
    close(jax.jit(mechanics.acceleration(lagrangian, method="pinv"))(q, v), [-0.5, -0.5])
    assert jax.jit(mechanics.condition_number(lagrangian))(q, v) > 1e12


@given(r=st.floats(0.01, 100))
def test_condition_number_of_polar_coordinates_is_r_squared_or_its_inverse(r):
    found = spring_condition(np.array([r, 0.3]), np.zeros(2))
    np.testing.assert_allclose(found, max(r**2, r**-2), rtol=1e-12)


spring_condition = jax.jit(mechanics.condition_number(SPRING.lagrangian))


# --- Hamilton and Poisson ----------------------------------------------------------------------


@jax.jit
def hamilton(c, q, v):
    """Hamilton's equations of E(q, p), with p(q, q̇) inverted by hand for γ = 0."""
    p = mechanics.momentum(lagrangian_of(c))(q, v)

    def H(q, p):
        growth = 1 + c["beta"] * jnp.sin(c["kappa"] @ q) ** 2
        kinetic = p - jnp.sin(c["B"] @ q)
        V = 0.5 * q @ c["K"] @ q + 0.25 * c["lam"] * jnp.sum(q**4)
        return 0.5 * kinetic @ jnp.linalg.solve(c["G"], kinetic) / growth + V

    a = mechanics.acceleration(lagrangian_of(c))(q, v)
    dp_dt = jax.jvp(mechanics.momentum(lagrangian_of(c)), (q, v), (v, a))[1]
    return mechanics.hamilton_equations(H)(q, p), dp_dt


@given(dims, seeds)
def test_hamilton_and_euler_lagrange_tell_one_motion(d, seed):
    c, q, v = draw(seed, d)
    c["gamma"] = 0.0
    (q_dot, p_dot), dp_dt = hamilton(c, q, v)
    close(q_dot, v)
    close(p_dot, dp_dt, rtol=1e-9)


def test_hamilton_equations_of_an_oscillator_turn_its_phase():
    mass, stiffness = 2.0, 3.0

    def H(q, p):
        return p @ p / (2 * mass) + 0.5 * stiffness * q @ q

    q_dot, p_dot = mechanics.hamilton_equations(H)(np.array([0.4]), np.array([1.2]))
    close(q_dot, [0.6])
    close(p_dot, [-1.2])


@jax.jit
def brackets(c, q, v):
    L = lagrangian_of(c)
    p = mechanics.momentum(L)
    return (
        mechanics.poisson_brackets(L, lambda q, v: (q, p(q, v)))(q, v),
        mechanics.poisson_brackets(L, lambda q, v: (q, v))(q, v),
    )


@given(dims, seeds)
def test_momenta_are_canonical_and_velocities_are_not(d, seed):
    c, q, v = draw(seed, d)
    with_p, with_v = brackets(c, q, v)
    close(with_p, omega(d), rtol=1e-9)
    M = by_hand(c, q, v)[1]
    close(with_v[:d, d:], np.linalg.inv(M), rtol=1e-9)  # {qᵢ, q̇ⱼ} = (M⁻¹)ᵢⱼ
    close(with_v, -with_v.T, rtol=1e-12)


def test_velocities_in_a_magnetic_field_do_not_commute():
    mass, charge, B = 0.7, 1.3, np.array([0.4, -1.0, 2.0])
    L = charge_in_magnetic_field(mass, charge, B)
    judge = jax.jit(mechanics.poisson_brackets(L, lambda q, v: (q, v)))
    found = judge(np.ones(3), np.arange(3.0))
    x, y, z = charge / mass**2 * B
    close(found[3:, 3:], [[0, z, -y], [-z, 0, x], [y, -x, 0]])  # {v_x, v_y} = e B_z / m²


def test_angular_momenta_have_the_brackets_of_rotations():
    def L(q, v):
        return 0.5 * 1.7 * v @ v - 1 / jnp.sqrt(q @ q)

    q, v = np.array([0.3, -1.0, 0.7]), np.array([1.1, 0.4, -0.2])
    found = jax.jit(mechanics.poisson_brackets(L, lambda q, v: (q, jnp.cross(q, 1.7 * v))))(q, v)

    def turn(x):
        return [[0, x[2], -x[1]], [-x[2], 0, x[0]], [x[1], -x[0], 0]]

    close(found[:3, 3:], turn(q))  # {xᵢ, Lⱼ} = ε_ijk x_k
    close(found[3:, 3:], turn(np.cross(q, 1.7 * v)))  # {Lᵢ, Lⱼ} = ε_ijk L_k


def _polar(q, v):
    r = jnp.sqrt(q @ q)
    e_r = q / r
    p = SPRING.mass * v
    return jnp.array([r, jnp.arctan2(q[0], -q[1])]), jnp.array([p @ e_r, q[0] * p[1] - q[1] * p[0]])


def _turned(angle):
    def coordinates(q, v):
        p = SPRING.mass * v
        return jnp.cos(angle) * q + jnp.sin(angle) * p, jnp.cos(angle) * p - jnp.sin(angle) * q

    return coordinates


COORDINATES = {
    "q and p": (lambda q, v: (q, SPRING.mass * v), True),
    "p and -q": (lambda q, v: (SPRING.mass * v, -q), True),
    "p and q": (lambda q, v: (SPRING.mass * v, q), False),
    "a turn in phase space": (_turned(0.8), True),
    "polar coordinates and their momenta": (_polar, True),
    "polar coordinates, cartesian momenta": (
        lambda q, v: (_polar(q, v)[0], SPRING.mass * v),
        False,
    ),
    "stretched, momenta shrunk": (lambda q, v: (2 * q, SPRING.mass * v / 2), True),
    "stretched": (lambda q, v: (2 * q, SPRING.mass * v), False),
    "velocities": (lambda q, v: (q, v), False),
    "momenta with a gauge": (lambda q, v: (q, SPRING.mass * v + 2 * q * (q @ q)), True),
    "a force that is no gauge": (lambda q, v: (q, SPRING.mass * v + q[::-1] * q[0]), False),
    "twice the same": (lambda q, v: (q, q), False),
}


def test_canonical_coordinates_are_told_from_others():
    q, v = np.array([0.7, -1.1]), np.array([0.4, 2.0])
    L = _spring_in_cartesian_coordinates
    found = jax.jit(
        lambda: {name: mechanics.is_canonical(L, z)(q, v) for name, (z, _) in COORDINATES.items()}
    )()
    assert {name: bool(x) for name, x in found.items()} == {
        name: canonical for name, (_, canonical) in COORDINATES.items()
    }


def nearly_canonical(error, **tolerance):
    """The verdict on Q = (1 + error) q and P = p."""

    def judge(error):
        def coordinates(q, v):
            return (1 + error) * q, SPRING.mass * v

        judge = mechanics.is_canonical(_spring_in_cartesian_coordinates, coordinates, **tolerance)
        return judge(np.array([1.2, 0.4]), np.array([0.5, 0.7]))

    return [bool(x) for x in jax.jit(jax.vmap(judge))(np.array(error))]


def test_rounding_counts_as_canonical_in_double_precision():
    assert nearly_canonical([1e-7, 1e-10]) == [False, True]


def test_rounding_counts_as_canonical_in_single_precision(float32):
    assert nearly_canonical([1e-3, 1e-5]) == [False, True]


def test_the_tolerance_is_the_callers():
    assert nearly_canonical([1e-2, 1e-4], tolerance=1e-3) == [False, True]


def test_brackets_that_do_not_exist_are_not_canonical():
    judge = mechanics.is_canonical(lambda q, v: v[0] - q[0], lambda q, v: (q, v))  # p is constant
    assert not judge(np.ones(1), np.ones(1))
