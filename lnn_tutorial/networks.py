r"""Multilayer perceptrons as pure functions on pytrees, their activations and initialisations.

Parameters are a list of layers, each `{"weight": [n_in, n_out], "bias": [n_out]}`. A network that
stands for a Lagrangian is differentiated twice before anyone sees its output and once more to train
it, so its activation needs derivatives that do not vanish: softplus has them, ReLU has not.

An initialisation is a rule from the sizes of the layers to standard deviations of their weights.
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


def relu2(x):
    """max(0, x)². Its second derivative is a step, its third is zero."""
    return jax.nn.relu(x) ** 2


def relu3(x):
    """max(0, x)³. Its second derivative is a ramp, its third is a step."""
    return jax.nn.relu(x) ** 3


ACTIVATIONS = {
    "gelu": jax.nn.gelu,
    "relu": jax.nn.relu,
    "relu2": relu2,
    "relu3": relu3,
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


def he(sizes):
    r"""Standard deviation of each layer's weights, σ = √(2 / n_in).

    Source: He et al. (2015), Eq. 10.
    """
    return [math.sqrt(2 / n_in) for n_in, _ in pairwise(sizes)]


def lecun(sizes):
    r"""Standard deviation of each layer's weights, σ = 1/√n_in.

    Source: LeCun et al. (1998), Section 4.6.
    """
    return [1 / math.sqrt(n_in) for n_in, _ in pairwise(sizes)]


def eq16(sizes):
    r"""Standard deviation of each layer's weights: 2.2/√n, then 0.58 i/√n, and √n at the end.

    i counts the matrices between hidden layers and n is their width, the same for all of them. The
    paper found the formula by symbolic regression, for two coordinates and softplus.

    Source: Cranmer et al. (2020), Eq. 16.

    >>> [round(sigma, 3) for sigma in eq16([4, 100, 100, 100, 1])]
    [0.22, 0.058, 0.116, 10.0]
    """
    _require_sizes(sizes)
    n, hidden = sizes[1], len(sizes) - 3
    if any(size != n for size in sizes[1:-1]):
        raise ValueError(f"Eq. 16 holds for hidden layers of one width, got sizes {sizes}")
    return [2.2 / n**0.5, *(0.58 * i / n**0.5 for i in range(1, hidden + 1)), n / n**0.5]


INITIALISATIONS = {"eq16": eq16, "glorot": glorot, "he": he, "lecun": lecun}
"""Functions from layer sizes to the standard deviations of the weights, by name."""


def standard_deviations(rule, sizes):
    """Standard deviation of each layer's weights by a named rule.

    Args:
        rule: a name in `INITIALISATIONS`.
        sizes: units of the input, of each hidden layer, of the output; at least one hidden layer.

    Returns:
        List of one number for each layer of weights.
    """
    _inputs.choice("initialisation", rule, INITIALISATIONS)
    _require_sizes(sizes)
    return INITIALISATIONS[rule](sizes)


def _require_sizes(sizes):
    if len(sizes) < 3:
        raise ValueError(f"expected sizes of input, hidden layer(s) and output, got {sizes}")
    for size in sizes:
        _inputs.count(size=size)


def draw(key, sizes, sigmas):
    """Draw a network: normal weights with a standard deviation for each layer, biases zero.

    The weights are σ times standard normal numbers that depend on the key alone, so a network is a
    differentiable function of its standard deviations.

    Args:
        key: a JAX random key.
        sizes: units of the input, of each hidden layer, of the output; at least one hidden layer.
        sigmas: standard deviation of each layer's weights, `[len(sizes) - 1]`.

    Returns:
        List of layers `{"weight": [n_in, n_out], "bias": [n_out]}`.

    Raises:
        TypeError, ValueError: sizes that are none; not one standard deviation for each layer, or
            one that is no number, not finite or negative.
    """
    _require_sizes(sizes)
    if len(sigmas) != len(sizes) - 1:
        raise ValueError(f"expected {len(sizes) - 1} standard deviations, got {len(sigmas)}")
    for sigma in sigmas:
        _inputs.number(sigma=sigma)
        if not isinstance(sigma, jax.core.Tracer) and sigma < 0:
            raise ValueError(f"expected sigma >= 0, got {sigma}")
    keys = jax.random.split(key, len(sizes) - 1)
    return [
        {"weight": sigma * jax.random.normal(k, shape), "bias": jnp.zeros(shape[1])}
        for k, sigma, shape in zip(keys, sigmas, pairwise(sizes), strict=True)
    ]


def init_mlp(key, sizes, initialisation="glorot"):
    """Draw a network: normal weights with the standard deviations of a rule, biases zero.

    Args:
        key: a JAX random key.
        sizes: units of the input, of each hidden layer, of the output; at least one hidden layer.
        initialisation: a name in `INITIALISATIONS`.

    Returns:
        List of layers `{"weight": [n_in, n_out], "bias": [n_out]}`.
    """
    return draw(key, sizes, standard_deviations(initialisation, sizes))


def mlp(params, x, activation="softplus"):
    """Evaluate a network at one input.

    Args:
        params: from `init_mlp`.
        x: input `[n_in]`.
        activation: a name in `ACTIVATIONS`, or a function.

    Returns:
        Output `[n_out]`.

    Raises:
        ValueError: an input of another shape, such as a batch; an unknown activation.
    """
    f = _activation(activation)
    _require_shape("x", x, params[0]["weight"].shape[:1])
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

    Raises:
        ValueError: a network of several outputs, an input or directions of another shape, an
            unknown activation.
    """
    f = _activation(activation)
    _require_shape("x", x, params[0]["weight"].shape[:1])
    _require_shape("directions", directions, (*jnp.shape(directions)[:1], x.size))
    _require_shape("the last bias", params[-1]["bias"], (1,))
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


def _activation(activation):
    if callable(activation):
        return activation
    _inputs.choice("activation", activation, ACTIVATIONS)
    return ACTIVATIONS[activation]


def _require_shape(name, x, shape):
    if jnp.shape(x) != shape:
        raise ValueError(f"expected {name} of shape {shape}, got {jnp.shape(x)}")


def _derivative(f):
    """The derivative of an elementwise function."""
    return lambda z: jax.jvp(f, (z,), (jnp.ones_like(z),))[1]


def count_parameters(params):
    """How many numbers a pytree of parameters holds."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))
