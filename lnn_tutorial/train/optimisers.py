"""How parameters move: Muon from the beginning, Gauss–Newton for the last digits."""

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree

from lnn_tutorial import _inputs

NEWTON_SCHULZ = ((3.4445, -4.7750, 2.0315),) * 5
"""The coefficients of Jordan et al., once for each of the five iterations of Muon.

Given one by one the iterations are a loop; Optax has them unrolled, which compiles for longer.
"""


def muon(peak, steps, warmup=0.05):
    """Muon with a warm-up to `peak` over a share `warmup` of the steps, then a cosine to zero.

    Muon orthogonalises the update of every matrix; biases are left to Adam. Parameters with more
    axes than a matrix are refused: stacked, those of several members would go to the wrong one of
    the two (see `key` of `fit`); for kernels there is `optax.contrib.muon`.

    Source: Jordan et al. (2024); `optax.contrib.muon`.
    """
    _inputs.positive(peak=peak)
    _inputs.count(steps=steps)
    _inputs.number(warmup=warmup)
    if not 0 <= warmup <= 1:
        raise ValueError(f"expected a share 0 <= warmup <= 1, got {warmup}")
    first = max(1, int(warmup * steps))
    schedule = optax.warmup_cosine_decay_schedule(0.0, peak, first, max(steps, first + 1))
    optimizer = optax.contrib.muon(schedule, ns_coeffs=NEWTON_SCHULZ)

    def init(params):
        for path, x in jax.tree.leaves_with_path(params):
            if jnp.ndim(x) > 2:
                raise ValueError(
                    f"expected matrices and vectors for Muon, got shape {jnp.shape(x)} at params"
                    f"{jax.tree_util.keystr(path)}; members of an ensemble are trained with a "
                    "vector of keys, one for each"
                )
        return optimizer.init(params)

    return optimizer._replace(init=init)


def gauss_newton(residual, rate, damping=1e-4, momentum=0.9):
    r"""Gauss–Newton steps on fresh batches, for the last digits of a network already trained.

    With r the residuals of a batch and J their Jacobian with respect to the parameters θ,

        φ ← μ φ + Jᵀ (J Jᵀ + λ)⁻¹ (r − μ J φ),    θ ← θ − η φ,

    where λ is `damping` times the mean of the diagonal of J Jᵀ. The matrix to be solved has a row
    for each residual of the batch, so a step costs more than one of Muon. A
    batch whose matrix is singular to the precision at hand is left out: φ ← μ φ.

    Args:
        residual: function `(params, *state) -> [d]`, such as `relative_residual(model)`.
        rate: η, a number or an optax schedule.
        damping: see above.
        momentum: μ, what is kept of the last direction.

    Returns:
        An optax optimiser for `fit`.

    Source: Goldshlager, Abrahamsen & Lin (2024), the algorithm SPRING.
    """
    _inputs.function("residual", residual)
    _inputs.positive(damping=damping)
    _inputs.number(momentum=momentum)
    if not 0 <= momentum <= 1:
        raise ValueError(f"expected 0 <= momentum <= 1, got {momentum}")
    if not callable(rate):
        _inputs.positive(rate=rate)
    schedule = rate if callable(rate) else optax.constant_schedule(rate)

    def init(params):
        return jnp.zeros((), int), jnp.zeros_like(ravel_pytree(params)[0])

    def update(gradient, state, params, *, batch, **_):
        (count, direction), (flat, unravel) = state, ravel_pytree(params)

        def row(*one):
            r, pull = jax.vjp(lambda flat: residual(unravel(flat), *one), flat)
            return r, jax.vmap(pull)(jnp.eye(r.size, dtype=r.dtype))[0]

        r, jacobian = jax.vmap(row)(*batch)
        r, jacobian = r.ravel(), jacobian.reshape(-1, flat.size)
        gram = jacobian @ jacobian.T
        gram += damping * jnp.trace(gram) / len(gram) * jnp.eye(len(gram))
        miss = r - momentum * (jacobian @ direction)
        solved = jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(gram), miss)
        solved = jnp.where(jnp.isfinite(solved).all(), solved, 0.0)
        direction = momentum * direction + jacobian.T @ solved
        return unravel(-schedule(count) * direction), (count + 1, direction)

    return optax.GradientTransformationExtraArgs(init, update)
