r"""Mechanics from a scalar: a function `lagrangian(q, q_dot)` in, equations of motion out.

Every function here takes physics and returns a function of one state. `q`, `q_dot` and `q_ddot`
are vectors `[d]` in any generalised coordinates; `jax.vmap` maps over a batch. Whether the scalar
is written down or learned makes no difference to this module::

    L = lambda q, q_dot: 0.5 * q_dot @ q_dot - 9.8 * q[0]
    acceleration(L)(jnp.array([1.0, 0.0]), jnp.array([0.0, 2.0]))      # [-9.8, 0.]
"""

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs


def momentum(lagrangian):
    r"""Canonical momentum, p = ∂𝓛/∂q̇.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`, in joules.

    Returns:
        Function `(q, q_dot) -> p [d]`.

    Raises:
        TypeError, ValueError: when called with anything but one finite, real state.

    Source: Cranmer et al. (2020), Eq. 1.
    """
    _inputs.function("lagrangian", lagrangian)
    return _of_state(jax.grad(lagrangian, argnums=1))


def mass_matrix(lagrangian):
    r"""Mass matrix, M = ∂²𝓛/∂q̇∂q̇ᵀ: symmetric, and for a kinetic energy ½q̇ᵀMq̇ just that M.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`.

    Returns:
        Function `(q, q_dot) -> M [d, d]`.

    Source: Cranmer et al. (2020), Eq. 5, there ∇_q̇ ∇_q̇ᵀ 𝓛.
    """
    return _of_state(_velocity_hessian(lagrangian))


def condition_number(lagrangian):
    r"""Condition number of the mass matrix, σ_max(M) / σ_min(M): infinite where M is singular.

    Where it is large, Eq. 6 divides by almost nothing and the acceleration cannot be trusted.
    Map it over states to see where: `jax.vmap(condition_number(lagrangian))(q, q_dot)`.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`.

    Returns:
        Function `(q, q_dot) -> scalar >= 1`.
    """
    mass = _velocity_hessian(lagrangian)

    def field(q, q_dot):
        sigma = jnp.linalg.svd(mass(q, q_dot), compute_uv=False)
        return jnp.where(sigma[-1] == 0, jnp.inf, sigma[0] / sigma[-1])

    return _of_state(field)


def _velocity_hessian(lagrangian):
    _inputs.function("lagrangian", lagrangian)
    # As jax.hessian; but `grad` insists on a scalar, and says so.
    return jax.jacfwd(jax.grad(lagrangian, argnums=1), argnums=1)


def energy(lagrangian):
    r"""Energy, E = q̇·p − 𝓛: conserved along the motion when 𝓛 does not depend on time.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`, in joules.

    Returns:
        Function `(q, q_dot) -> scalar`, in joules.
    """
    _inputs.function("lagrangian", lagrangian)

    def field(q, q_dot):
        value, p = jax.value_and_grad(lagrangian, argnums=1)(q, q_dot)
        return q_dot @ p - value

    return _of_state(field)


def euler_lagrange(lagrangian):
    r"""What is left of the Euler–Lagrange equation, R = d/dt ∂𝓛/∂q̇ − ∂𝓛/∂q: zero on the motion.

    The time derivative runs along (q̇, q̈): R = M q̈ + (∂p/∂q) q̇ − ∂𝓛/∂q.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`.

    Returns:
        Function `(q, q_dot, q_ddot) -> R [d]`, a generalised force.

    Source: Cranmer et al. (2020), Eq. 3–5 (Eq. 3 of the final version lacks a ∂ on the right).
    """
    _inputs.function("lagrangian", lagrangian)
    residual = _residual(lagrangian)

    def field(q, q_dot, q_ddot):
        q, q_dot = _inputs.state(q, q_dot)
        _, q_ddot = _inputs.state(q, q_ddot, names=("q", "q_ddot"))
        return residual(q, q_dot, q_ddot.astype(q.dtype))

    return field


def _residual(lagrangian):
    gradient = jax.grad(lagrangian, argnums=(0, 1))

    def field(q, q_dot, q_ddot):
        (dL_dq, _), (_, dp_dt) = jax.jvp(gradient, (q, q_dot), (q_dot, q_ddot))
        return dp_dt - dL_dq

    return field


def equation_of_motion(lagrangian):
    r"""The Euler–Lagrange equation as M q̈ = F, with F = ∂𝓛/∂q − (∂p/∂q) q̇.

    The gradient of 𝓛 is linearised once, and d + 1 tangents are pushed through: one along each
    velocity, which gives a column of M, and one along the motion at constant velocity.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`.

    Returns:
        Function `(q, q_dot) -> (M [d, d], F [d])`.

    Source: Cranmer et al. (2020), Eq. 5.
    """
    _inputs.function("lagrangian", lagrangian)
    gradient = jax.grad(lagrangian, argnums=(0, 1))

    def field(q, q_dot):
        (dL_dq, _), push = jax.linearize(gradient, q, q_dot)
        _, dp = jax.vmap(push)(*directions_of_motion(q_dot))
        return dp[:-1], dL_dq - dp[-1]

    return _of_state(field)


def directions_of_motion(q_dot):
    """The d + 1 directions in (q, q̇) that M and F need: (0, eᵢ) for each i, and (q̇, 0).

    Args:
        q_dot: velocity `[d]`.

    Returns:
        `(along_q [d + 1, d], along_q_dot [d + 1, d])`.
    """
    q_dot = _inputs.vector("q_dot", q_dot)
    identity = jnp.eye(q_dot.size, dtype=q_dot.dtype)
    return (
        jnp.vstack([jnp.zeros_like(identity), q_dot]),
        jnp.vstack([identity, jnp.zeros_like(q_dot)]),
    )


def acceleration(lagrangian, method="solve", equation=None):
    r"""Acceleration from a Lagrangian, q̈ = M⁻¹ [∂𝓛/∂q − (∂p/∂q) q̇].

    `"solve"` solves M q̈ = F (see `equation_of_motion`). Its derivative comes from the implicit
    function theorem: q̈ is the root of R(q̈) = 0, the Euler–Lagrange residual, and one Newton step
    dq̈ = −M⁻¹ dR carries the exact gradient, at the cost of one tangent and one more small solve.
    `"pinv"` is the paper's formula: a Hessian, a Jacobian of a Jacobian, and a pseudoinverse.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`.
        method: `"solve"` or `"pinv"`.
        equation: function `(q, q_dot) -> (M [d, d], F [d])` for `"solve"`, where a cheaper way to
            it is known than the default, `equation_of_motion(lagrangian)`. Its own derivatives
            matter from the second derivative of the acceleration on.

    Returns:
        Function `(q, q_dot) -> q_ddot [d]`. Where M is singular, `"solve"` gives values that are
        not finite or, where rounding hides the zero, huge (see `condition_number`); `"pinv"` gives
        the smallest least-squares answer, silently.

    Raises:
        ValueError: unknown method; and, when called, anything but one finite, real state.

    Source: Cranmer et al. (2020), Eq. 6 and Appendix A.

    >>> falling = lambda q, q_dot: 0.5 * q_dot @ q_dot - 9.8 * q[0]
    >>> print(acceleration(falling)(jnp.array([1.0, 0.0]), jnp.array([0.0, 2.0])))
    [-9.8  0. ]
    """
    _inputs.function("lagrangian", lagrangian)
    _inputs.choice("method", method, ("pinv", "solve"))
    if method == "pinv":
        return _of_state(_acceleration_by_pinv(lagrangian))
    equation = equation_of_motion(lagrangian) if equation is None else equation
    _inputs.function("equation", equation)
    return _of_state(_acceleration_by_solve(lagrangian, equation))


def _acceleration_by_solve(lagrangian, equation):
    residual = _residual(lagrangian)

    def field(q, q_dot):
        mass, force = _mass_and_force(equation(q, q_dot), q.size)
        q_ddot = jnp.linalg.solve(mass, force)
        return _implicit(q_ddot, mass, residual(q, q_dot, _held(q_ddot)))

    return field


def _mass_and_force(found, d):
    shapes = [jnp.shape(x) for x in found] if isinstance(found, (tuple, list)) else type(found)
    if shapes != [(d, d), (d,)]:
        raise ValueError(f"expected equation to return M {(d, d)} and F {(d,)}, got {shapes}")
    return found


@jax.custom_jvp
def _held(x):
    """The value `x`, held fixed under the first derivative; later derivatives see through it."""
    return x


_held.defjvp(lambda primals, tangents: (primals[0], jnp.zeros_like(tangents[0])))


@jax.custom_jvp
def _implicit(q_ddot, mass, residual):
    """q̈ as the root of R(q̈) = 0, with ∂R/∂q̈ = M: the value as given, and dq̈ = −M⁻¹ dR.

    Without a derivative nobody reads R, and the compiler leaves it out.
    """
    return q_ddot


@_implicit.defjvp
def _(primals, tangents):
    # The value goes on as the plain solve: under a second derivative R no longer holds q̈ fixed.
    return primals[0], -jnp.linalg.solve(primals[1], tangents[2])


def _acceleration_by_pinv(lagrangian):
    def field(q, q_dot):
        return jnp.linalg.pinv(jax.hessian(lagrangian, 1)(q, q_dot)) @ (
            jax.grad(lagrangian, 0)(q, q_dot)
            - jax.jacobian(jax.jacobian(lagrangian, 1), 0)(q, q_dot) @ q_dot
        )

    return field


def hamilton_equations(hamiltonian):
    r"""Hamilton's equations, q̇ = ∂H/∂p and ṗ = −∂H/∂q.

    Args:
        hamiltonian: function `(q [d], p [d]) -> scalar`, in joules.

    Returns:
        Function `(q, p) -> (q_dot [d], p_dot [d])`.
    """
    _inputs.function("hamiltonian", hamiltonian)

    def field(q, p):
        q, p = _inputs.state(q, p, names=("q", "p"))
        dH_dq, dH_dp = jax.grad(hamiltonian, argnums=(0, 1))(q, p)
        return dH_dp, -dH_dq

    return field


def poisson_brackets(lagrangian, coordinates):
    r"""All Poisson brackets of given coordinates, {z_a, z_b} with z = (Q, P).

    The brackets are taken in the canonical variables c = (q, p = ∂𝓛/∂q̇). With D = ∂z/∂c,
    {z_a, z_b} = (D Ω Dᵀ)_ab and Ω = [[0, 1], [−1, 0]].

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`; its mass matrix must be invertible.
        coordinates: function `(q, q_dot) -> (Q [d], P [d])`, the coordinates to be judged.

    Returns:
        Function `(q, q_dot) -> [2d, 2d]`; it equals Ω where the coordinates are canonical.

    Source: Cranmer et al. (2020), Eq. 1.
    """
    _inputs.function("lagrangian", lagrangian)
    _inputs.function("coordinates", coordinates)
    p = jax.grad(lagrangian, argnums=1)

    def field(q, q_dot):
        d = q.size
        dz = jnp.block([list(row) for row in jax.jacobian(_pair(coordinates), (0, 1))(q, q_dot)])
        dc = jnp.vstack([jnp.eye(d, 2 * d), jnp.hstack(jax.jacobian(p, (0, 1))(q, q_dot))])
        dz_dc = jnp.linalg.solve(dc.T, dz.T).T
        return dz_dc @ _symplectic_matrix(d) @ dz_dc.T

    return _of_state(field)


def is_canonical(lagrangian, coordinates, tolerance=None):
    r"""Are coordinates (Q, P) canonical: {Q_i, Q_j} = {P_i, P_j} = 0 and {Q_i, P_j} = δ_ij?

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`.
        coordinates: function `(q, q_dot) -> (Q [d], P [d])`.
        tolerance: largest error of a bracket that still counts as rounding; by default the
            square root of the dtype's resolution, 3e-4 in float32 and 1e-8 in float64.

    Returns:
        Function `(q, q_dot) -> bool` for one state. Coordinates are canonical if it holds at
        every state.

    Source: Cranmer et al. (2020), Eq. 1.

    >>> L = lambda q, q_dot: 0.5 * 2.0 * q_dot @ q_dot
    >>> q, q_dot = jnp.array([1.0]), jnp.array([0.5])
    >>> bool(is_canonical(L, lambda q, q_dot: (q, q_dot))(q, q_dot))
    False
    >>> bool(is_canonical(L, lambda q, q_dot: (q, momentum(L)(q, q_dot)))(q, q_dot))
    True
    """
    brackets = poisson_brackets(lagrangian, coordinates)
    if tolerance is not None:
        _inputs.positive(tolerance=tolerance)

    def field(q, q_dot):
        found = brackets(q, q_dot)
        limit = float(jnp.finfo(found.dtype).eps) ** 0.5 if tolerance is None else tolerance
        return jnp.abs(found - _symplectic_matrix(len(q))).max() < limit

    return field


def _symplectic_matrix(d):
    return jnp.block([[jnp.zeros((d, d)), jnp.eye(d)], [-jnp.eye(d), jnp.zeros((d, d))]])


def _pair(coordinates):
    """`coordinates`, with a clear error where it does not return two vectors like `q`."""

    def field(q, q_dot):
        found = coordinates(q, q_dot)
        if not isinstance(found, (tuple, list)) or len(found) != 2:
            got = f"{len(found)} values" if isinstance(found, tuple) else type(found).__name__
            raise TypeError(f"expected coordinates to return (Q, P), got {got}")
        for name, x in zip("QP", found, strict=True):
            if jnp.shape(x) != q.shape:
                raise ValueError(
                    f"expected coordinates to return {name} of q's shape {q.shape}, "
                    f"got {jnp.shape(x)}"
                )
        return tuple(found)

    return field


def _of_state(field):
    """`field(q, q_dot)`, with the state checked at every call."""
    return lambda q, q_dot: field(*_inputs.state(q, q_dot))
