r"""Multilayer perceptrons as pure functions on pytrees, their activations and initialisations.

Parameters are a list of layers, each `{"weight": [n_in, n_out], "bias": [n_out]}`. A network that
stands for a Lagrangian is differentiated twice before anyone sees its output and once more to train
it, so its activation needs derivatives that do not vanish: softplus has them, ReLU has not.
"""

import math
from itertools import pairwise

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs


@jax.custom_jvp
def softplus(x):
    """log(1 + eˣ). Its derivative is the sigmoid s, and every later one a polynomial in s.

    The same function as `jax.nn.softplus`, whose derivatives evaluate more exponentials.
    """
    return jnp.logaddexp(x, 0.0)


softplus.defjvps(lambda x_dot, _, x: x_dot * jax.nn.sigmoid(x))

ACTIVATIONS = {
    "gelu": jax.nn.gelu,
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "silu": jax.nn.silu,
    "sine": jnp.sin,
    "softplus": softplus,
    "tanh": jnp.tanh,
}
"""Activations by name."""


def glorot(sizes):
    r"""Standard deviation of each layer's weights, σ = √(2 / (n_in + n_out)).

    Source: Glorot & Bengio (2010), Eq. 12 and 16.
    """
    return [math.sqrt(2 / (n_in + n_out)) for n_in, n_out in pairwise(sizes)]


def eq16(sizes):
    r"""Standard deviation of each layer's weights: 2.2/√n, then 0.58 i/√n, and √n at the end.

    i counts the matrices between hidden layers and n is their width. The paper found the formula
    by symbolic regression.

    Source: Cranmer et al. (2020), Eq. 16.

    >>> [round(sigma, 3) for sigma in eq16([4, 100, 100, 100, 1])]
    [0.22, 0.058, 0.116, 10.0]
    """
    n, hidden = sizes[1], len(sizes) - 3
    return [2.2 / n**0.5, *(0.58 * i / n**0.5 for i in range(1, hidden + 1)), n / n**0.5]


INITIALISATIONS = {"eq16": eq16, "glorot": glorot}
"""Functions from layer sizes to the standard deviations of the weights, by name."""


def init_mlp(key, sizes, initialisation="glorot"):
    """Draw a network: normal weights with the standard deviations of a rule, biases zero.

    Args:
        key: a JAX random key.
        sizes: units of the input, of each hidden layer, of the output; at least one hidden layer.
        initialisation: `"glorot"` or `"eq16"`.

    Returns:
        List of layers `{"weight": [n_in, n_out], "bias": [n_out]}`.
    """
    _inputs.choice("initialisation", initialisation, INITIALISATIONS)
    if len(sizes) < 3:
        raise ValueError(f"expected sizes of input, hidden layer(s) and output, got {sizes}")
    for size in sizes:
        _inputs.count(size=size)
    keys, sigmas = jax.random.split(key, len(sizes) - 1), INITIALISATIONS[initialisation](sizes)
    return [
        {"weight": sigma * jax.random.normal(k, shape), "bias": jnp.zeros(shape[1])}
        for k, sigma, shape in zip(keys, sigmas, pairwise(sizes), strict=True)
    ]


def mlp(params, x, activation="softplus"):
    """Evaluate a network at one input.

    Args:
        params: from `init_mlp`.
        x: input `[n_in]`.
        activation: a name in `ACTIVATIONS`, or a function.

    Returns:
        Output `[n_out]`.
    """
    f = activation if callable(activation) else ACTIVATIONS[activation]
    for layer in params[:-1]:
        x = f(x @ layer["weight"] + layer["bias"])
    return x @ params[-1]["weight"] + params[-1]["bias"]


def gradient_and_hessian(params, x, directions, activation="softplus"):
    r"""Gradient of a scalar network, and its Hessian between given directions.

    With zₗ what enters the activation of hidden layer l and δₗ = ∂y/∂f(zₗ), the directions are
    pushed forward to tₗ = ∂zₗ/∂x · direction, the δₗ are carried back once, and

        tᵢᵀ (∂²y/∂x²) tⱼ = Σₗ Σ_units δₗ f''(zₗ) tₗᵢ tₗⱼ.

    A Hessian–vector product would carry every direction back as well.

    Args:
        params: from `init_mlp`, with one output.
        x: input `[n_in]`.
        directions: `[k, n_in]`.
        activation: a name in `ACTIVATIONS`, or a function.

    Returns:
        `(gradient [n_in], hessian [k, k])`.
    """
    f = activation if callable(activation) else ACTIVATIONS[activation]
    slope = _derivative(f)
    curvature = _derivative(slope)
    tangents, layers = directions, []
    for layer in params[:-1]:
        z = x @ layer["weight"] + layer["bias"]
        tangents = tangents @ layer["weight"]
        layers.append((layer["weight"], z, tangents))
        x, tangents = f(z), slope(z) * tangents
    sensitivity, hessian = params[-1]["weight"][:, 0], 0.0
    for weight, z, tangents in reversed(layers):
        hessian += (sensitivity * curvature(z) * tangents) @ tangents.T
        sensitivity = (sensitivity * slope(z)) @ weight.T
    return sensitivity, hessian


def _derivative(f):
    """The derivative of an elementwise function."""
    return lambda z: jax.jvp(f, (z,), (jnp.ones_like(z),))[1]


def count_parameters(params):
    """How many numbers a pytree of parameters holds."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))
