"""Plausible wrong answers to assignment 11, and the tests that see through them."""

from tests.assignments.answers import Wrong


def rotations(
    turned="jnp.cross(axis, q), jnp.cross(axis, q_dot)", kept="axes[values < 1e-3 * size]"
):
    """The reference with one part in another way."""
    return {
        "rotations": f"""def rotations(acceleration, q, q_dot):
    def left(axis, q, q_dot):
        a, change = jax.jvp(acceleration, (q, q_dot), ({turned}))
        return jnp.cross(axis, a) - change

    q, q_dot = jnp.asarray(q), jnp.asarray(q_dot)
    columns = [jax.vmap(left, (None, 0, 0))(axis, q, q_dot).ravel() for axis in jnp.eye(3)]
    size = np.linalg.norm(jax.vmap(acceleration)(q, q_dot))
    _, values, axes = np.linalg.svd(np.stack(columns, axis=1))
    return {kept}
"""
    }


def conserved(gauge):
    """The reference with another K, an expression of q and of its slope at s q."""
    return {
        "conserved": f"""def conserved(lagrangian, A, b):
    def change(q, q_dot):
        return jax.jvp(lagrangian, (q, q_dot), (A @ q + b, A @ q_dot))[1]

    def quantity(q, q_dot):
        slope = lambda s: jax.grad(change, argnums=1)(s * q, jnp.zeros_like(q))
        gauge = {gauge}
        return jax.grad(lagrangian, argnums=1)(q, q_dot) @ (A @ q + b) - gauge

    return quantity
"""
    }


WHOLE = "sum(w / 2 * q @ slope((1 + s) / 2) for s, w in zip(*np.polynomial.legendre.leggauss(16)))"

WRONG = [
    Wrong(
        "the velocity is not turned",
        answers=rotations(turned="jnp.cross(axis, q), jnp.zeros(3)"),
        passes=("rotations_visible", "rotations_axes", "rotations_size"),
        fails=("rotations_velocities",),
    ),
    Wrong(
        "what is left is compared with the largest of the three",
        answers=rotations(kept="axes[values < 1e-3 * values[0]]"),
        passes=("rotations_visible", "rotations_axes", "rotations_velocities"),
        fails=("rotations_size",),
    ),
    Wrong(
        "a zero is a small number",
        answers=rotations(kept="axes[values < 1e-6]"),
        passes=("rotations_visible", "rotations_axes", "rotations_velocities"),
        fails=("rotations_size",),
    ),
    Wrong(
        "the singular vectors are the columns of what NumPy returns",
        answers=rotations(kept="axes.T[values < 1e-3 * size]"),
        passes=("rotations_visible", "rotations_size"),
        fails=("rotations_axes", "rotations_velocities"),
    ),
    Wrong(
        "there is always the last one",
        answers=rotations(kept="axes[[*(values[:2] < 1e-3 * size), True]]"),
        passes=("rotations_visible",),
        fails=("rotations_axes", "rotations_velocities", "rotations_size"),
    ),
    Wrong(
        "the momentum along the displacement is conserved",
        answers=conserved("0.0"),
        passes=("conserved_visible",),
        fails=("conserved_field", "conserved_bent"),
    ),
    Wrong(
        "K is added",
        answers=conserved(f"-{WHOLE}"),
        passes=("conserved_visible",),
        fails=("conserved_field", "conserved_bent"),
    ),
    Wrong(
        "the slope is the same on the whole way",
        answers=conserved("q @ slope(1.0)"),
        passes=("conserved_visible", "conserved_field"),
        fails=("conserved_bent",),
    ),
    Wrong(
        "the mean of both ends",
        answers=conserved("q @ (slope(0.0) + slope(1.0)) / 2"),
        passes=("conserved_visible", "conserved_field"),
        fails=("conserved_bent",),
    ),
    Wrong(
        "the terms with the smallest coefficients go",
        answers={
            "strike_out": """def strike_out(R, S, threshold=2.0):
    c = scipy.linalg.eigh(R.T @ R, S.T @ S)[1][:, 0]
    c = c / c[np.abs(c).argmax()]
    return np.where(np.abs(c) > 0.1, c, 0)
"""
        },
        passes=("strike_out_visible",),
        fails=("strike_out_units", "strike_out_noise"),
    ),
    Wrong(
        "the right terms leave nothing",
        answers={
            "strike_out": """def strike_out(R, S, threshold=2.0):
    size = np.linalg.norm(S, axis=0)
    a, b = (R / size).T @ (R / size), (S / size).T @ (S / size)
    least = lambda kept: np.sqrt(abs(scipy.linalg.eigh(a[kept][:, kept], b[kept][:, kept])[0][0]))
    kept = np.arange(len(size))
    while len(kept) > 1:
        fewer = min((np.delete(kept, i) for i in range(len(kept))), key=least)
        if least(fewer) > 1e-5:
            break
        kept = fewer
    c = np.zeros(len(size))
    c[kept] = scipy.linalg.eigh(a[kept][:, kept], b[kept][:, kept])[1][:, 0] / size[kept]
    return c / c[np.abs(c).argmax()]
"""
        },
        passes=("strike_out_visible",),
        fails=("strike_out_units", "strike_out_noise"),
    ),
    Wrong(
        "R alone says which terms are needed",
        answers={
            "strike_out": """def strike_out(R, S, threshold=2.0):
    least = lambda kept: max(np.linalg.svd(R[:, kept])[1][-1], 1e-5)
    kept = np.arange(R.shape[1])
    while len(kept) > 1:
        fewer = min((np.delete(kept, i) for i in range(len(kept))), key=least)
        if least(fewer) > threshold * least(kept):
            break
        kept = fewer
    c = np.zeros(R.shape[1])
    c[kept] = np.linalg.svd(R[:, kept])[2][-1]
    return c / c[np.abs(c).argmax()]
"""
        },
        passes=("strike_out_visible", "strike_out_units"),
        fails=("strike_out_noise",),
    ),
]
