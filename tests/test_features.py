"""What a network sees of a vector, by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import features

X = jnp.array([0.6, -0.3, 0.9])


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        (features.Scaled((2.0, 3.0, 9.0)), [0.3, -0.1, 0.1]),
        (features.Centred(2.0), [0.1, -0.35, 0.25]),
        (
            features.Angles((True, False, True), 3.0),
            [np.sin(0.6), np.cos(0.6), -0.1, np.sin(0.9), np.cos(0.9)],
        ),
        (features.Wrapped((True, False, False), 0.3), [0.6, -1.0, 3.0]),
        (features.Rapidity(2.0), np.arctanh([0.3, -0.15, 0.45])),
        (features.Arcsine(1.0), np.arcsin([0.6, -0.3, 0.9])),
        (features.Arcsinh(0.01), np.arcsinh([60, -30, 90])),
        (features.Picked((2, 0)), [0.9, 0.6]),
        (features.Together((features.Picked((1,)), jnp.sin)), [-0.3, *np.sin([0.6, -0.3, 0.9])]),
        (features.Then((features.Scaled(0.3), jnp.square)), [4.0, 1.0, 9.0]),
    ],
    ids=lambda x: type(x).__name__,
)
def test_every_feature_is_its_formula(feature, expected):
    np.testing.assert_allclose(feature(X), expected, rtol=2e-6)
    assert hash(feature) == hash(feature)


def test_an_angle_is_the_same_after_any_turns():
    for kind in (features.Angles, features.Wrapped):
        seen = kind((True, True, True))
        np.testing.assert_allclose(seen(X + 4 * jnp.pi), seen(X), atol=2e-6)


def test_the_slope_of_a_rapidity_keeps_its_digits_near_the_limit():
    """d arctanh(x)/dx = 1 / ((1 − x)(1 + x)), at the float32 below 1."""
    x = np.nextafter(np.float32(1), np.float32(0))
    slope = jax.grad(lambda x: features.Rapidity()(x).sum())(jnp.array([x]))
    np.testing.assert_allclose(slope, [1 / ((1 - float(x)) * (1 + float(x)))], rtol=1e-6)


@pytest.mark.parametrize("limited", [features.Rapidity(0.5), features.Arcsine((1.0, 1.0, 0.8))])
def test_a_limit_is_asked_of_every_part(limited):
    picked = features.Then((features.Picked((0, 1, 2)), limited))
    for feature in (limited, features.Together((jnp.sin, picked)), picked):
        features.check(feature, "q_dot", 0.5 * X)
        with pytest.raises(ValueError, match=r"expected \|q_dot / limit\| < 1, where its feature"):
            features.check(feature, "q_dot", X)
    features.check(jnp.sin, "q_dot", X)  # knows of none


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: features.Scaled(0.0), "scale > 0"),
        (lambda: features.Scaled((1.0, 2.0, 3.0))(X[:1]), r"of 3 entries, got \(1,\)"),
        (lambda: features.Arcsine((2.0,))(X), r"of 1 entries, got \(3,\)"),
        (lambda: features.Angles((False,), (1.0, 2.0))(X[:1]), r"of 2 entries, got \(1,\)"),
        (lambda: features.Rapidity("fast"), "limit to be a number, got 'fast'"),
        (lambda: features.Angles((0.5,)), "which to hold True and False only"),
        (lambda: features.Angles((True,))(X), r"shape \(1,\), got \(3,\)"),
        (lambda: features.Picked((-1,)), "which >= 0"),
        (lambda: features.Picked((1.0,)), "which to be a whole number"),
        (lambda: features.Picked((3,))(X), r"entries \(3,\), got \(3,\)"),
        (lambda: features.Together(()), "some entries in parts"),
        (lambda: features.Then((1.0,)), "parts to be a function"),
    ],
)
def test_a_feature_that_cannot_be_is_refused(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()


def test_lists_and_arrays_become_tuples():
    assert features.Scaled(np.array([1, 2])) == features.Scaled((1.0, 2.0))
    assert features.Angles([np.True_, 0]) == features.Angles((True, False))
    assert features.Together([jnp.sin]) == features.Together((jnp.sin,))
