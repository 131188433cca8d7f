"""What is made small: the losses of accelerations, and their residuals."""

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs, data


def relative_error(predicted, true, scale):
    r"""Bounded relative error of one acceleration, ‖â − a‖ / √(s² + ‖a‖² + ‖â‖²), below √2.

    Where a learned mass matrix is nearly singular, â = M⁻¹F is huge; here such a state costs no
    more than a plainly wrong one, and its gradient stays bounded.

    Args:
        predicted: â `[d]`.
        true: a `[d]`.
        scale: s, a typical acceleration, in the units of a.

    Returns:
        Scalar without unit.
    """
    require_alike(predicted, true)
    miss = jnp.sum((predicted - true) ** 2)
    size = scale**2 + jnp.sum(true**2) + jnp.sum(predicted**2)
    return root(miss / size)


def root(x):
    """√(x + ε²) − ε, with the precision ε of x, for √x whose derivative stays bounded at zero.

    Where x is the square of a difference, a compiled derivative may round that difference otherwise
    than its value did: 1/√x of one, times the other, is then as large as 1/√x. With ε² beside it,
    what rounding leaves weighs no more than a plain error does.
    """
    eps = jnp.finfo(x.dtype).eps
    return jnp.sqrt(x + eps**2) - eps


def absolute_error(predicted, true, scale=None):
    r"""The paper's L1 error of one acceleration, Σᵢ |âᵢ − aᵢ|; `scale` is not used."""
    require_alike(predicted, true)
    return jnp.sum(jnp.abs(predicted - true))


def squared_error(predicted, true, scale=None):
    r"""L2 error of one acceleration, Σᵢ (âᵢ − aᵢ)²; `scale` is not used."""
    require_alike(predicted, true)
    return jnp.sum((predicted - true) ** 2)


def require_alike(predicted, true):
    if jnp.shape(predicted) != jnp.shape(true):
        raise ValueError(
            "expected a predicted and a true acceleration of one shape [d], "
            f"got {jnp.shape(predicted)} and {jnp.shape(true)}"
        )


LOSSES = {"l1": absolute_error, "l2": squared_error, "relative": relative_error}
"""Losses of one state by name."""


def acceleration_loss(model, name="relative", scale=1.0):
    """The mean loss of a model's accelerations over a batch.

    A model that is trained on something else, as a Hamiltonian network is on the slopes of its
    motion, says so by `compare` (see `models.Model`): then the mean is over what it compares.

    Args:
        model: anything with `acceleration(params, q, q_dot)` or `compare`.
        name: a name in `LOSSES`.
        scale: a typical acceleration, for `"relative"`.

    Returns:
        Function `(params, (q [n, d], q_dot [n, d], q_ddot [n, d])) -> scalar`; what else the model
        takes, such as a context `[n, c]`, comes as further arrays of the batch.
    """
    _inputs.choice("loss", name, LOSSES)
    _inputs.positive(scale=scale)
    compare = compared(model)

    def loss(params, batch):
        if isinstance(batch, data.Window):
            raise TypeError(
                "expected a batch (q, q_dot, q_ddot), got a window of a motion: that is for "
                "motion_loss, or take data.Motions.samples"
            )

        def one(*state):
            pairs = compare(params, *state)
            return sum(LOSSES[name](*pair, scale) for pair in pairs) / len(pairs)

        return jax.vmap(one)(*batch).mean()

    loss.bounded = name == "relative"  # what `fit` advises where training diverges
    return loss


def compared(model):
    """What training compares, pairs of (predicted, true): by default the accelerations."""

    def accelerations(params, q, q_dot, q_ddot, *context):
        return [(model.acceleration(params, q, q_dot, *context), q_ddot)]

    if not hasattr(model, "compare"):
        _inputs.function("model.acceleration", getattr(model, "acceleration", None))
    return getattr(model, "compare", accelerations)


def relative_residual(model, scale=1.0):
    r"""The vector whose length is `relative_error`, (â − a) / √(s² + ‖a‖² + ‖â‖²), of one state.

    The denominator is held fixed under differentiation, so that J describes how â moves.

    Args:
        model: anything with `acceleration(params, q, q_dot)` or `compare`.
        scale: s, a typical acceleration.

    Returns:
        Function `(params, q [d], q_dot [d], q_ddot [d]) -> [d]`, for `gauss_newton`; longer where
        the model compares more than accelerations, see `acceleration_loss`.
    """
    _inputs.positive(scale=scale)
    compare = compared(model)

    def one(found, true):
        require_alike(found, true)
        size = scale**2 + jnp.sum(true**2) + jnp.sum(found**2)
        return (found - true) / jax.lax.stop_gradient(jnp.sqrt(size))

    def residual(params, *state):
        return jnp.concatenate([one(*pair) for pair in compare(params, *state)])

    return residual
