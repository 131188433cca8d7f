"""Networks: what a formula promises of their weights, what a second derivative needs of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import networks


def test_the_papers_example_of_eq16():
    assert networks.eq16([4, 100, 100, 100, 1]) == pytest.approx([0.22, 0.058, 0.116, 10.0])


@pytest.mark.parametrize(("rule", "share"), [("lecun", 1.0), ("he", 2.0)])
def test_a_layer_keeps_the_mean_square_of_its_input(rule, share):
    """LeCun: of any input. He: twice that, because ReLU lets half of it through."""
    sizes = [400, 2000, 1]
    params = networks.init_mlp(jax.random.key(4), sizes, rule)
    x = jax.random.uniform(jax.random.key(5), (400,))
    z = x @ params[0]["weight"]
    assert float(jnp.mean(z**2) / jnp.mean(x**2)) == pytest.approx(share, rel=0.15)
    if rule == "he":
        after = jnp.mean(jax.nn.relu(z) ** 2)
        assert float(after / jnp.mean(x**2)) == pytest.approx(1.0, rel=0.15)


def test_eq16_has_one_width():
    with pytest.raises(ValueError, match=r"one width, got sizes \[4, 10, 20, 1\]"):
        networks.eq16([4, 10, 20, 1])
    with pytest.raises(ValueError, match=r"input, hidden layer\(s\) and output, got \[4, 1\]"):
        networks.eq16([4, 1])


def test_a_drawn_network_is_proportional_to_its_standard_deviations():
    key, sizes = jax.random.key(6), [3, 5, 2]
    one, other = networks.draw(key, sizes, [1.0, 1.0]), networks.draw(key, sizes, [0.3, 7.0])
    for layer, scaled, sigma in zip(one, other, [0.3, 7.0], strict=True):
        np.testing.assert_allclose(scaled["weight"], sigma * layer["weight"], rtol=1e-6)
    with pytest.raises(ValueError, match="expected 2 standard deviations, got 3"):
        networks.draw(key, sizes, [1.0, 1.0, 1.0])
    for sigma, error in ((np.nan, ValueError), (-1.0, ValueError), ("he", TypeError)):
        with pytest.raises(error, match="sigma"):
            networks.draw(key, sizes, [1.0, sigma])


@pytest.mark.parametrize("power", [2, 3])
def test_powers_of_relu_bend_on_one_side_only(power):
    f, x = networks.ACTIVATIONS[f"relu{power}"], jnp.linspace(-2.05, 2, 50)
    curvature = power * (power - 1) * np.maximum(x, 0) ** (power - 2) * (x > 0)
    np.testing.assert_allclose(jax.vmap(jax.grad(jax.grad(f)))(x), curvature, rtol=1e-5)


@pytest.mark.parametrize("rule", networks.INITIALISATIONS)
def test_weights_have_the_standard_deviation_of_their_rule_and_biases_are_zero(rule):
    sizes = [40, 300, 300, 300, 50]
    params = networks.init_mlp(jax.random.key(0), sizes, rule)
    for layer, sigma in zip(params, networks.INITIALISATIONS[rule](sizes), strict=True):
        n = layer["weight"].size  # the standard error of σ is σ/√(2n)
        assert float(layer["weight"].std()) == pytest.approx(sigma, rel=5 / (2 * n) ** 0.5)
        assert float(abs(layer["weight"].mean())) < 5 * sigma / n**0.5
        assert not layer["bias"].any()


def test_an_mlp_is_its_matrices_and_its_activation():
    params = networks.init_mlp(jax.random.key(1), [3, 5, 4, 2])
    x = np.array([0.3, -1.0, 2.0])
    (w0, b0), (w1, b1), (w2, b2) = (
        (np.asarray(p["weight"]), np.asarray(p["bias"])) for p in params
    )
    by_hand = np.tanh(np.tanh(x @ w0 + b0) @ w1 + b1) @ w2 + b2
    np.testing.assert_allclose(networks.mlp(params, jnp.asarray(x), "tanh"), by_hand, rtol=1e-5)
    np.testing.assert_allclose(networks.mlp(params, jnp.asarray(x), jnp.tanh), by_hand, rtol=1e-5)


@pytest.mark.parametrize("name", networks.ACTIVATIONS)
def test_only_relu_has_no_curvature(name):
    curvature = jax.vmap(jax.grad(jax.grad(networks.ACTIVATIONS[name])))(jnp.linspace(-2.1, 2, 50))
    assert bool(jnp.isfinite(curvature).all())
    assert bool((curvature == 0).all()) == (name == "relu")


def test_softplus_bends_like_a_bell():
    """softplus'' = sigmoid (1 − sigmoid), and it neither overflows nor dies at the ends."""
    x = jnp.linspace(-30, 30, 241)
    f = networks.ACTIVATIONS["softplus"]
    bell = 0.25 / np.cosh(np.asarray(x) / 2) ** 2
    eps = np.finfo(np.float32).eps  # of 1 − sigmoid
    np.testing.assert_allclose(jax.vmap(jax.grad(jax.grad(f)))(x), bell, rtol=2e-5, atol=eps)
    np.testing.assert_allclose(f(x), np.logaddexp(0, np.asarray(x)), rtol=1e-6)
    np.testing.assert_allclose(f(jnp.array([200.0, -200.0])), [200.0, 0.0])


@pytest.mark.parametrize(
    ("sizes", "rule", "error", "message"),
    [
        ([4, 1], "glorot", ValueError, "hidden"),
        ([4, 0, 1], "glorot", ValueError, "size >= 1, got 0"),
        ([4, -3, 1], "glorot", ValueError, "size >= 1, got -3"),
        ([4, 2.5, 1], "glorot", TypeError, "whole number, got 2.5"),
        ([4, 8, 1], "kaiming", ValueError, "known are: eq16, glorot, he, lecun"),
    ],
)
def test_bad_sizes_and_unknown_rules_are_refused(sizes, rule, error, message):
    with pytest.raises(error, match=message):
        networks.init_mlp(jax.random.key(0), sizes, rule)


def test_a_network_sees_one_input_of_its_own_size():
    """A batch would pass through the matrices, and be taken for one input by what follows."""
    params = networks.init_mlp(jax.random.key(0), [3, 5, 1])
    for shape in ((2,), (7, 3), ()):
        with pytest.raises(ValueError, match=r"x of shape \(3,\), got"):
            networks.mlp(params, jnp.ones(shape))
        with pytest.raises(ValueError, match=r"x of shape \(3,\), got"):
            networks.gradient_and_hessian(params, jnp.ones(shape), jnp.eye(3))
    with pytest.raises(ValueError, match="unknown activation 'swish'"):
        networks.mlp(params, jnp.ones(3), "swish")


def test_a_gradient_and_a_hessian_are_those_of_one_output_along_directions():
    x = jnp.ones(3)
    two = networks.init_mlp(jax.random.key(0), [3, 5, 2])
    with pytest.raises(ValueError, match=r"the last bias of shape \(1,\), got \(2,\)"):
        networks.gradient_and_hessian(two, x, jnp.eye(3))
    one = networks.init_mlp(jax.random.key(0), [3, 5, 1])
    for wrong in (x, jnp.eye(2), jnp.ones((1, 1, 3))):
        with pytest.raises(ValueError, match="directions of shape"):
            networks.gradient_and_hessian(one, x, wrong)


def test_parameters_are_counted():
    assert networks.count_parameters(networks.init_mlp(jax.random.key(0), [4, 10, 1])) == 61


@pytest.mark.parametrize("activation", ["softplus", "tanh", "sine"])
@pytest.mark.parametrize("hidden", [1, 3])
def test_gradient_and_hessian_are_autodiffs(activation, hidden):
    params = networks.init_mlp(jax.random.key(2), [4, *[12] * hidden, 1])
    x = jnp.array([0.3, -1.0, 0.5, 2.0])
    directions = jax.random.normal(jax.random.key(3), (3, 4))

    def network(x):
        return networks.mlp(params, x, activation)[0]

    gradient, hessian = networks.gradient_and_hessian(params, x, directions, activation)
    np.testing.assert_allclose(gradient, jax.grad(network)(x), rtol=1e-4, atol=1e-6)
    expected = directions @ jax.hessian(network)(x) @ directions.T
    np.testing.assert_allclose(hessian, expected, rtol=1e-3, atol=1e-5)
