"""What is made small where positions are noisy: a law, integrated along paths through them."""

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs, data
from lnn_tutorial.data import fitted
from lnn_tutorial.train.losses import root


def integral_loss(model, noise, *, scale=3.0):
    r"""The mean loss of a model's accelerations, integrated twice along given paths.

    A path (q(s), q̇(s)) through a window of K + 1 frames, such as `data.Motions.paths` finds, is
    where the model is asked; nothing is integrated step by step. With q̂ₖ the positions that the
    accelerations a lead to,

        q̂(t) = z₀ + z₁ t + ∫₀ᵗ (t − r) a(q(r), q̇(r)) dr,

    for the start z₀ and the velocity z₁ with which they come nearest to the measured ones,

        d² = Σₖ ‖(q̂ₖ − qₖ)/σ‖² / ((K − 1) d),    loss = d / √(s² + d²).

    Noise alone makes d about 1. No acceleration is made of noisy positions: all frames of a window
    speak at once, each as loud as its noise allows. What is left is the error of the path itself.

    Args:
        model: anything with `acceleration(params, q, q_dot)`; a context and a torque come as
            further arguments.
        noise: σ, the standard deviation of the positions; a number or one for each coordinate.
        scale: s, how many σ count as far.

    Returns:
        Function `(params, data.Path of arrays [n, …]) -> scalar`.

    Source: the integral form of a law to be found is the weak form of Messenger & Bortz (2021).
    """
    _inputs.positive(scale=scale)
    _inputs.function("model.acceleration", getattr(model, "acceleration", None))
    noise = jnp.asarray(_inputs.scale("noise", noise, getattr(model, "dim", None)))

    def distances(params, path):
        """d² of each window; all states go through the network as rows of one matrix."""
        n, nodes, d = path.q.shape
        beside = [jnp.repeat(path.context, nodes, axis=0)] if path.context is not None else []
        if path.torque is not None:
            beside = [beside[0] if beside else None, path.torque.reshape(-1, d)]
        over = (None, 0, 0, *(None if x is None else 0 for x in beside))
        q, q_dot = path.q.reshape(-1, d), path.q_dot.reshape(-1, d)
        a = jax.vmap(model.acceleration, over)(params, q, q_dot, *beside).reshape(n, nodes, d)
        free = (path.weight.sum(axis=1) - 2) * d
        return jnp.sum((fitted.misses(path, a) / noise) ** 2, axis=(1, 2)) / free

    def distance(params, path):
        """d² of one window."""
        return distances(params, jax.tree.map(lambda x: x[None], path))[0]

    def loss(params, batch):
        if not isinstance(batch, data.Path):
            raise TypeError(
                "expected a data.Path, such as data.motions(…).paths(…) draws, "
                f"got {type(batch).__name__}"
            )
        far = distances(params, batch)
        return root(far / (scale**2 + far)).mean()

    loss.bounded, loss.distance = True, distance
    return loss
