r"""Mechanics from a scalar: a function `lagrangian(q, q_dot)` in, equations of motion out.

Every function here takes physics and returns a function of one state. `q`, `q_dot` and `q_ddot`
are vectors `[d]` in any generalised coordinates; `jax.vmap` maps over a batch. Whether the scalar
is written down or learned makes no difference to this module::

    L = lambda q, q_dot: 0.5 * q_dot @ q_dot - 9.8 * q[0]
    acceleration(L)(jnp.array([1.0, 0.0]), jnp.array([0.0, 2.0]))      # [-9.8, 0.]

What a scalar cannot hold, such as friction, comes beside it as a generalised force Q(q, q̇)::

    friction = lambda q, q_dot: -0.1 * q_dot
    acceleration(L, force=friction)                                    # M q̈ = F + Q

A Lagrangian or a force depends on time exactly if it has an argument named `t`; what is made from
it then takes the time after the state, `(q, q_dot, t)`. A time that is bound beforehand, as a
parameter, is no such argument: 𝓛 then stands still, and ∂p/∂t is missing from its equation.
"""

import inspect

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs


def momentum(lagrangian):
    r"""Canonical momentum, p = ∂𝓛/∂q̇.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`, in joules; of `t` too, if it depends
            on time, here and everywhere below.

    Returns:
        Function `(q, q_dot) -> p [d]`, of `(q, q_dot, t)` if 𝓛 depends on time.

    Raises:
        TypeError, ValueError: when called with anything but one finite, real state.

    Source: Cranmer et al. (2020), Eq. 1.
    """
    lagrangian, timed = _timed(lagrangian=lagrangian)
    return _of_state(jax.grad(lagrangian, argnums=1), timed)


def mass_matrix(lagrangian):
    r"""Mass matrix, M = ∂²𝓛/∂q̇∂q̇ᵀ, symmetric: that of a kinetic energy ½q̇ᵀMq̇.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`.

    Returns:
        Function `(q, q_dot) -> M [d, d]`.

    Source: Cranmer et al. (2020), Eq. 5, there ∇_q̇ ∇_q̇ᵀ 𝓛.
    """
    lagrangian, timed = _timed(lagrangian=lagrangian)
    return _of_state(_velocity_hessian(lagrangian), timed)


def condition_number(lagrangian):
    r"""Condition number of the mass matrix, σ_max(M) / σ_min(M): infinite where M is singular.

    It bounds by how much Eq. 6 enlarges relative errors of M and of the forces: where it is large,
    the acceleration cannot be trusted. Map it over states to see where:
    `jax.vmap(condition_number(lagrangian))(q, q_dot)`.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`.

    Returns:
        Function `(q, q_dot) -> scalar >= 1`.
    """
    lagrangian, timed = _timed(lagrangian=lagrangian)
    mass = _velocity_hessian(lagrangian)

    def field(*state):
        sigma = jnp.linalg.svd(mass(*state), compute_uv=False)
        return jnp.where(sigma[-1] == 0, jnp.inf, sigma[0] / sigma[-1])

    return _of_state(field, timed)


def _velocity_hessian(lagrangian):
    # As jax.hessian; but `grad` insists on a scalar, and says so.
    return jax.jacfwd(jax.grad(lagrangian, argnums=1), argnums=1)


def energy(lagrangian):
    r"""Energy, E = q̇·p − 𝓛: along the motion dE/dt = q̇·Q − ∂𝓛/∂t.

    So it is conserved where 𝓛 does not depend on time and no force Q stands beside it.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`, in joules.

    Returns:
        Function `(q, q_dot) -> scalar`, in joules.
    """
    lagrangian, timed = _timed(lagrangian=lagrangian)

    def field(q, q_dot, *t):
        value, p = jax.value_and_grad(lagrangian, argnums=1)(q, q_dot, *t)
        return q_dot @ p - value

    return _of_state(field, timed)


def rayleigh(dissipation):
    r"""The force of a dissipation function, Q = −∂D/∂q̇.

    For D = ½ q̇ᵀ C q̇ that is viscous friction, Q = −C q̇, which takes the power 2D from the energy.

    Args:
        dissipation: function D`(q [d], q_dot [d]) -> scalar`, in watts; of `t` too, if it depends
            on time.

    Returns:
        Function `(q, q_dot) -> Q [d]`, for the argument `force` of the functions here.

    Source: Goldstein, Poole & Safko (2002), Section 1.5.
    """
    dissipation, timed = _timed(dissipation=dissipation)
    slope = jax.grad(dissipation, argnums=1)
    return _of_state(lambda *state: -slope(*state), timed)


def euler_lagrange(lagrangian, force=None):
    r"""What is left of the Euler–Lagrange equation, R = d/dt ∂𝓛/∂q̇ − ∂𝓛/∂q − Q: zero on the motion.

    The time derivative runs along (q̇, q̈, 1): R = M q̈ + (∂p/∂q) q̇ + ∂p/∂t − ∂𝓛/∂q − Q.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`.
        force: function `(q [d], q_dot [d]) -> Q [d]`, a generalised force; none by default.

    Returns:
        Function `(q, q_dot, q_ddot) -> R [d]`, a generalised force; of `(q, q_dot, q_ddot, t)` if
        𝓛 or Q depends on time.

    Source: Cranmer et al. (2020), Eq. 3–5 (Eq. 3 of its early version lacks a ∂ on the right).
    """
    lagrangian, force, timed = _timed(lagrangian=lagrangian, force=force)
    residual = _residual(lagrangian, force)

    def field(q, q_dot, q_ddot, *t):
        _, q_ddot = _inputs.state(q, q_ddot, names=("q", "q_ddot"))
        q, q_dot = _inputs.state(q, q_dot)
        dtype = jnp.result_type(q, q_ddot)  # the finest of the three
        q, q_dot, q_ddot = (x.astype(dtype) for x in (q, q_dot, q_ddot))
        return residual(q, q_dot, q_ddot, *(_inputs.time(x, q) for x in t))

    if timed:
        return lambda q, q_dot, q_ddot, t: field(q, q_dot, q_ddot, t)
    return lambda q, q_dot, q_ddot: field(q, q_dot, q_ddot)


def _residual(lagrangian, force):
    gradient = jax.grad(lagrangian, argnums=(0, 1))

    def field(q, q_dot, q_ddot, *t):
        along = q_dot, q_ddot, *(jnp.ones_like(x) for x in t)
        (dL_dq, _), (_, dp_dt) = jax.jvp(gradient, (q, q_dot, *t), along)
        return dp_dt - _plus(dL_dq, force, q, q_dot, *t)

    return field


def _plus(conservative, force, *state):
    """A force with Q added where there is one."""
    return conservative if force is None else conservative + force(*state)


def equation_of_motion(lagrangian, force=None):
    r"""The Euler–Lagrange equation as M q̈ = F, with F = ∂𝓛/∂q − (∂p/∂q) q̇ − ∂p/∂t + Q.

    The gradient of 𝓛 is linearised once, and d + 1 tangents are pushed through: one along each
    velocity, which gives a column of M, and one along the motion at constant velocity.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`.
        force: function `(q [d], q_dot [d]) -> Q [d]`, a generalised force; none by default.

    Returns:
        Function `(q, q_dot) -> (M [d, d], F [d])`; of `(q, q_dot, t)` if 𝓛 or Q depends on time.

    Source: Cranmer et al. (2020), Eq. 5.
    """
    lagrangian, force, timed = _timed(lagrangian=lagrangian, force=force)
    return _of_state(_equation(lagrangian, force), timed)


def _equation(lagrangian, force):
    gradient = jax.grad(lagrangian, argnums=(0, 1))

    def field(q, q_dot, *t):
        (dL_dq, _), push = jax.linearize(gradient, q, q_dot, *t)
        clock = (jnp.eye(q.size + 1, dtype=x.dtype)[-1] for x in t)  # time goes on with the motion
        _, dp = jax.vmap(push)(*directions_of_motion(q_dot), *clock)
        return dp[:-1], _plus(dL_dq, force, q, q_dot, *t) - dp[-1]

    return field


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


def acceleration(lagrangian, method="solve", force=None):
    r"""Acceleration from a Lagrangian, q̈ = M⁻¹ [∂𝓛/∂q − (∂p/∂q) q̇ − ∂p/∂t + Q].

    `"solve"` solves M q̈ = F (see `equation_of_motion`). Its derivative comes from the implicit
    function theorem: q̈ is the root of R(q̈) = 0, the Euler–Lagrange residual, and one Newton step
    dq̈ = −M⁻¹ dR carries the exact gradient, at the cost of one tangent and one more small solve.
    `"pinv"` is the paper's formula: a Hessian, a Jacobian of a Jacobian, and a pseudoinverse.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`.
        method: `"solve"` or `"pinv"`.
        force: function `(q [d], q_dot [d]) -> Q [d]`, a generalised force beside those that 𝓛
            knows: friction (see `rayleigh`), a drive, a torque; none by default.

    Returns:
        Function `(q, q_dot) -> q_ddot [d]`; of `(q, q_dot, t)` if 𝓛 or Q depends on time. Where M
        is singular, `"solve"` gives values that are not finite or, where rounding hides the zero,
        huge (see `condition_number`); `"pinv"` gives the smallest least-squares answer, silently.

    Raises:
        ValueError: unknown method; and, when called, anything but one finite, real state.

    Source: Cranmer et al. (2020), Eq. 6 and Appendix A.

    >>> falling = lambda q, q_dot: 0.5 * q_dot @ q_dot - 9.8 * q[0]
    >>> print(acceleration(falling)(jnp.array([1.0, 0.0]), jnp.array([0.0, 2.0])))
    [-9.8  0. ]
    >>> drag = lambda q, q_dot: -0.5 * q_dot
    >>> print(acceleration(falling, force=drag)(jnp.array([1.0, 0.0]), jnp.array([0.0, 2.0])))
    [-9.8 -1. ]
    """
    _inputs.choice("method", method, ("pinv", "solve"))
    lagrangian, force, timed = _timed(lagrangian=lagrangian, force=force)
    if method == "pinv":
        return _of_state(_acceleration_by_pinv(lagrangian, force), timed)
    return _of_state(_acceleration_by_solve(lagrangian, force), timed)


def _acceleration_by_solve(lagrangian, force=None, equation=None):
    """q̈ from M and F, and its derivative from R.

    `equation` is for a model that has a cheaper way to M and F of this very 𝓛, without Q: where
    its answer is not that of `_equation(lagrangian, None)`, values and gradients disagree.
    """
    equation = equation or _equation(lagrangian, None)
    residual = _residual(lagrangian, force)

    def field(q, q_dot, *t):
        mass, conservative = equation(q, q_dot, *t)
        q_ddot = jnp.linalg.solve(mass, _plus(conservative, force, q, q_dot, *t))
        return _implicit(q_ddot, mass, residual(q, q_dot, _held(q_ddot), *t))

    return field


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


def _acceleration_by_pinv(lagrangian, force):
    p = jax.jacobian(lagrangian, 1)

    def field(q, q_dot, *t):
        dp_dt = jax.jacobian(p, 0)(q, q_dot, *t) @ q_dot
        if t:
            dp_dt += jax.jacobian(p, 2)(q, q_dot, *t)
        return jnp.linalg.pinv(jax.hessian(lagrangian, 1)(q, q_dot, *t)) @ (
            _plus(jax.grad(lagrangian, 0)(q, q_dot, *t), force, q, q_dot, *t) - dp_dt
        )

    return field


def hamilton_equations(hamiltonian, force=None):
    r"""Hamilton's equations, q̇ = ∂H/∂p and ṗ = −∂H/∂q + Q.

    Args:
        hamiltonian: function `(q [d], p [d]) -> scalar`, in joules.
        force: function `(q [d], q_dot [d]) -> Q [d]`, of the velocity, as in `acceleration`.

    Returns:
        Function `(q, p) -> (q_dot [d], p_dot [d])`; of `(q, p, t)` if H or Q depends on time.
    """
    hamiltonian, force, timed = _timed(hamiltonian=hamiltonian, force=force)

    def field(q, p, *t):
        dH_dq, q_dot = jax.grad(hamiltonian, argnums=(0, 1))(q, p, *t)
        return q_dot, _plus(-dH_dq, force, q, q_dot, *t)

    return _of_state(field, timed, names=("q", "p"))


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
    lagrangian, coordinates, timed = _timed(lagrangian=lagrangian, coordinates=coordinates)
    p, z = jax.grad(lagrangian, argnums=1), _pair(coordinates)

    def field(*state):
        d = state[0].size
        dz = jnp.block([list(row) for row in jax.jacobian(z, (0, 1))(*state)])
        dc = jnp.vstack([jnp.eye(d, 2 * d), jnp.hstack(jax.jacobian(p, (0, 1))(*state))])
        dz_dc = jnp.linalg.solve(dc.T, dz.T).T
        return dz_dc @ _symplectic_matrix(d) @ dz_dc.T

    return _of_state(field, timed)


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

    def judged(*state):
        found = brackets(*state)
        limit = float(jnp.finfo(found.dtype).eps) ** 0.5 if tolerance is None else tolerance
        return jnp.abs(found - _symplectic_matrix(len(found) // 2)).max() < limit

    if takes_time(brackets):
        return lambda q, q_dot, t: judged(q, q_dot, t)
    return lambda q, q_dot: judged(q, q_dot)


def _symplectic_matrix(d):
    return jnp.block([[jnp.zeros((d, d)), jnp.eye(d)], [-jnp.eye(d), jnp.zeros((d, d))]])


def _pair(coordinates):
    """`coordinates`, with a clear error where it does not return two vectors like `q`."""

    def field(q, q_dot, *t):
        found = coordinates(q, q_dot, *t)
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


def takes_time(function):
    """Whether a function depends on time: whether it has an argument named `t`.

    One that `functools.partial` has bound is no argument any more. Raises TypeError where the time
    comes first, as SciPy has it: a state comes before its time here.

    >>> takes_time(lambda q, q_dot, t: -q), takes_time(lambda q, q_dot: -q)
    (True, False)
    """
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some that are written in C tell nothing of themselves
        return False
    if names[0:1] == ["t"] and len(names) > 1:
        raise TypeError(f"expected a function of (q, q_dot, t), got one of ({', '.join(names)})")
    return "t" in names and "t" not in getattr(inspect.unwrap(function), "keywords", {})


def _timed(**functions):
    """Functions of `(q, q_dot, *t)` from those given, and whether any of them depends on time.

    Those that do not leave the time out; None stays None. A force is held to the shape of q.
    """
    for name, function in functions.items():
        if function is not None or name != "force":
            _inputs.function(name, function)
            _require_arguments(name, function)
    timed = any(takes_time(function) for function in functions.values())
    return *(_of_time(name, function) for name, function in functions.items()), timed


def _require_arguments(name, function):
    """Raise where a function wants more than a state and the time."""
    try:
        wanted = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return
    kinds = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    needed = [x.name for x in wanted if x.default is x.empty and x.kind in kinds and x.name != "t"]
    if len(needed) > 2:
        raise TypeError(
            f"expected {name} of (q, q_dot), or of (q, q_dot, t) if it depends on time; this one "
            f"also needs {', '.join(needed[2:])}: bind that beforehand, and call a time t"
        )


def _of_time(name, function):
    if function is None:
        return None
    timed = takes_time(function)

    def field(q, q_dot, *t):
        return function(q, q_dot, t=t[0]) if timed else function(q, q_dot)

    return _inputs.like_q(name, field) if name == "force" else field


def _of_state(field, timed, names=("q", "q_dot")):
    """`field` as a function of a state, and of the time if need be, checked at every call."""

    def checked(q, q_dot, *t):
        q, q_dot = _inputs.state(q, q_dot, names)
        return field(q, q_dot, *(_inputs.time(x, q) for x in t))

    if timed:
        return lambda q, q_dot, t: checked(q, q_dot, t)
    return lambda q, q_dot: checked(q, q_dot)
