"""Checks of chapter 4, initialisation and activations."""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import mechanics, models, networks
from lnn_tutorial.checks.verdict import (
    Stop,
    Verdict,
    ask,
    check,
    compare,
    kind,
    named,
    real,
    right,
    wrong,
)


@check(
    "return the standard deviations, and find the width that the slides are right for.",
    title="One number, three places",
    hints=(
        "Equation 16 has one factor in front of its braces, for all layers alike. How does it "
        "depend on the width?",
        "For the width, look at the number that stands in three places of the slides. What "
        "should stand there, by Eq. 16?",
    ),
)
def slides(answer: Callable, width: Any) -> Verdict:
    """Eq. 16: `answer(n, hidden) -> list` of standard deviations, and the width of the slides."""
    for n, hidden in [(256, 2), (100, 4), (50, 1)]:
        verdict = _sigmas(ask(answer, n, hidden), n, hidden)
        if not verdict:
            return verdict
    name = "Your list is right for every width and depth. Your width of the slides"
    verdict = compare(width, 5.6**2, name=name, rtol=0.025)
    if not verdict:
        slips = {
            "The slides announce this width, but they do not compute with it.": 256,
            "This is the root of a width.": 5.6,
            "This is the root of the width that the slides announce.": 16,
            "A width is squared in yours that was a width already.": 5.6**4,
        }
        return verdict.with_slip(width, slips, rtol=1e-2)
    return right("Your list is right, and the slides are right for a narrower network.")


def _sigmas(found, n, hidden):
    """Verdict on the standard deviations of a network with `hidden` layers of width n."""
    layers, root = np.arange(1, hidden), np.sqrt(n)
    expected = np.array([2.2, *0.58 * layers, n]) / root
    settings = {"rtol": 1e-3}
    name = f"Your list for n = {n} and {hidden} hidden layer{'s' * (hidden > 1)}"
    verdict = compare(found, expected, name=name, **settings)
    if verdict:
        return verdict
    if np.shape(found) != expected.shape:
        return verdict.because("There is one number for each matrix of weights.")
    slips = {
        "These are the slides' numbers, and this n is another.": (
            np.array([2.2 / 5.6, *0.58 / 5.6 * layers, 5.6])
        ),
        "These are variances.": expected**2,
        "You divide by the width. Eq. 16 has something else there.": expected / root,
        "You forgot what Eq. 16 divides by.": expected * root,
    }
    if reason := named(found, slips, **settings):
        return verdict.because(reason)
    verdict = compare(
        found[0], expected[0], name=f"{name}: what it has for the first layer", **settings
    )
    if not verdict:
        return verdict
    inner = compare(
        found[1:-1], expected[1:-1], name=f"{name}: what it has between hidden layers", **settings
    )
    if not inner:
        slips = {
            "Your i begins too early: at nothing.": 0.58 * (layers - 1) / root,
            "Your i counts the first layer, too.": 0.58 * (layers + 1) / root,
            "Your i counts from the wrong end.": 0.58 * layers[::-1] / root,
            "Your i does not count: all hidden layers are alike.": 0.58 / root + 0 * layers,
        }
        return inner.with_slip(found[1:-1], slips, **settings)
    verdict = compare(
        found[-1], expected[-1], name=f"{name}: what it has for the last layer", **settings
    )
    slips = {
        "What stands in front of the braces holds for the last layer, too.": n,
        "Inside the braces the last layer has something, and yours nothing.": 1 / root,
        "What stands in front of the braces is not the inverse of n.": 1.0,
    }
    return verdict.with_slip(found[-1], slips, **settings)


@check(
    "return the mass matrix.",
    title="One hidden layer, by hand",
    hints=(
        "𝓛 is a sum over units, and each unit sees the velocities through one number, its z. "
        "How does z change with each velocity?",
        "The first rows of the hidden weights belong to the positions, the others to the "
        "velocities. The bias decides where the curvature is taken, and nothing else.",
    ),
)
def one_layer(answer: Callable) -> Verdict:
    """M of one hidden layer by hand: `answer(params, q, q_dot, curvature) -> M [d, d]`."""
    settings = {"rtol": 1e-3, "atol": 1e-4}
    for name, params, q, q_dot, curvature, expected in _networks_of_one_layer():
        found = ask(answer, [dict(layer) for layer in params], q, q_dot, curvature)
        name = f"Your mass matrix of a network with {name}"
        verdict = compare(found, expected, name=name, **settings)
        if verdict:
            continue
        if np.shape(found) != expected.shape:
            d = len(q)
            return verdict.because(f"There are {d} velocities, and M is one number for each pair.")
        first, last = jax.tree.map(np.asarray, params)
        weight, bias, w = first["weight"], first["bias"], last["weight"][:, 0]
        a, v = np.split(weight, 2)  # rows of the positions, of the velocities
        x = np.concatenate([q, q_dot])

        def total(z, rows, others, w=w, curvature=curvature):
            return (w * np.asarray(curvature(z)) * rows) @ others.T

        z, turned = x @ weight + bias, np.roll(x, len(q)) @ weight + bias
        slips = {
            "You differentiated with respect to the positions.": total(z, a, a),
            "You differentiated once by a velocity and once by a position.": total(z, v, a),
            "You differentiated once by a position and once by a velocity.": total(z, a, v),
            "All your units count alike in the output.": total(z, v / w, v),
            "It would be the same with any other activation.": (w * v) @ v.T,
            "Something that enters the activation is missing.": total(x @ weight, v, v),
            "The positions enter the activation, too.": total(q_dot @ v + bias, v, v),
            "The network sees the positions first, and then the velocities.": total(turned, v, v),
            "You took the positions for velocities, and the velocities for positions.": (
                total(turned, a, a)
            ),
            "The bias of the output has no derivative.": expected + last["bias"],
            "You kept what a unit gives to itself: the velocities share units.": (
                np.diag(np.diag(expected))
            ),
            "It is the mean over the units, not their sum.": expected / len(w),
        }
        return verdict.with_slip(found, slips, **settings)
    return right("Your M is right for three activations. Now put in one that never bends.")


@cache
def _networks_of_one_layer():
    """Three drawn networks: name, parameters, q, q̇, the function f'' and the mass matrix."""
    trials = []
    for seed, (d, activation) in enumerate([(2, "softplus"), (3, "tanh"), (2, "sine")]):
        f, rng = networks.ACTIVATIONS[activation], np.random.default_rng(seed)
        shapes = {"weight": (2 * d, 12), "bias": (12,)}, {"weight": (12, 1), "bias": (1,)}
        params = [
            {name: jnp.asarray(rng.normal(0.0, 0.7, shape), float) for name, shape in layer.items()}
            for layer in shapes
        ]
        q, q_dot = jnp.asarray(rng.standard_normal((2, d)), float)

        def lagrangian(q, q_dot, f=f, params=params):
            return networks.mlp(params, jnp.concatenate([q, q_dot]), f)[0]

        mass = jax.jit(mechanics.mass_matrix(lagrangian))(q, q_dot)
        name = f"{d} coordinates and {activation}"
        trials.append((name, params, q, q_dot, _curvature(f), np.asarray(mass)))
    return trials


def _curvature(f):
    """The second derivative of an elementwise function, on arrays of any shape."""
    second = jax.jit(jnp.vectorize(jax.grad(jax.grad(f))))
    return lambda z: second(jnp.asarray(z, float))


QUANTITIES = (
    "mass matrix",
    "condition number",
    "energy",
    "acceleration",
    "gradient of the last layer",
    "gradient of the first layer",
)
"""The names in an answer to `last_layer`."""


@check(
    "give all six powers.",
    title="Six powers",
    hints=(
        "How does the new Lagrangian follow from the old one? Go through the formula of each "
        "quantity with that.",
        "For the gradients, write the acceleration as a function of the weights of one layer: "
        "how does the new function follow from the old one, and how its slope?",
    ),
)
def last_layer(answer: dict) -> Verdict:
    """Powers of c in what c times the last layer changes: a dict with the names `QUANTITIES`."""
    if not isinstance(answer, dict):
        return wrong(f"Expected a dictionary of six powers, got {type(answer).__name__}.")
    if absent := [name for name in QUANTITIES if name not in answer]:
        return wrong(f"There is no power for the {absent[0]} in your dictionary.")
    for name, measured in zip(QUANTITIES, _powers(), strict=True):
        claimed = _number(answer[name], f"The power of the {name}")
        if not np.isfinite(claimed):
            return wrong(f"The power of the {name} is not finite.")
        if abs(claimed - measured) > 0.02:
            return wrong(f"On a drawn network the {name} {_refuted(claimed, measured)}.")
    return right("All six are right, as measured on a drawn network.")


def _refuted(claimed, measured):
    """What happens as c grows, in contrast to what was claimed, and without the number."""
    if abs(measured) < 0.02:
        return f"does not {'grow' if claimed > 0 else 'shrink'} with c"
    verb = "grows" if measured > 0 else "shrinks"
    if claimed * measured <= 0:
        return f"{verb} with c"
    speed = "more slowly" if claimed / measured > 1 else "faster"
    return f"{verb} with c, but {speed} than with the power {claimed:g}"


@cache
def _powers():
    """The powers, measured: sizes in a network and in the one with the last layer times c."""
    model = models.LNN(2, width=16, depth=1, kinetic_offset=False)
    rng, c = np.random.default_rng(0), 4.0
    params = jax.tree.map(
        lambda x: jnp.asarray(rng.normal(0.0, 0.7, x.shape), float),
        jax.eval_shape(model.init, jax.random.key(0)),
    )
    scaled = [*params[:-1], jax.tree.map(lambda x: c * x, params[-1])]

    def accelerate(params, q, q_dot):
        return model.acceleration(params, q, q_dot).sum()

    def sizes(params, q, q_dot):
        mass, _ = model.equation_of_motion(params, q, q_dot)
        q_ddot, gradient = jax.value_and_grad(accelerate)(params, q, q_dot)
        first, *_, last = (jnp.linalg.norm(layer["weight"]) for layer in gradient)
        energy = model.energy(params, q, q_dot)
        spread = jnp.linalg.cond(mass)
        return jnp.abs(jnp.stack([jnp.linalg.norm(mass), spread, energy, q_ddot, last, first]))

    states = jnp.asarray(rng.standard_normal((2, 9, 2)), float)
    many = jax.jit(jax.vmap(sizes, (None, 0, 0)))
    ratio = many(scaled, *states) / many(params, *states)
    return np.median(np.log(ratio), axis=0) / np.log(c)


@check(
    "return the power of the tail.",
    title="A distribution without a mean",
    hints=(
        "Draw ln P against ln a, and a power law is a straight line. Of n samples, what share "
        "is larger than the hundredth largest?",
        "Look at sizes only, and at the largest few of them. Other units then shift the line, "
        "and leave its slope as it is.",
    ),
)
def tail(answer: Callable) -> Verdict:
    """A tail P(|x| > a) ∝ a⁻ᵏ: `answer(samples [n]) -> k`, right to 12 % for 100,000 samples."""
    settings = {"rtol": 0.12, "atol": 0.0}
    rng, n = np.random.default_rng(0), 100_000
    cauchy = rng.standard_cauchy((3, n))
    trials = {
        "Cauchy numbers": (1.0, cauchy[0]),
        "ratios of two normal numbers": (1.0, 1000 * np.divide(*rng.standard_normal((2, n)))),
        "squares of Cauchy numbers": (0.5, -(cauchy[1] ** 2)),
        "roots of Cauchy numbers": (2.0, np.sign(cauchy[2]) * abs(cauchy[2]) ** 0.5),
    }
    expected = np.array([power for power, _ in trials.values()])
    found = np.array([_number(ask(answer, abs(x))) for _, x in trials.values()])
    if np.isfinite(found).all():
        slips = {
            "They have the wrong sign: k stands behind a minus.": -expected,
            "They are those of the density, which falls faster than P.": expected + 1,
            "They are those of the density, with its sign.": -expected - 1,
            "They are upside down: you return how a depends on P.": 1 / expected,
            "They have the wrong sign and are upside down.": -1 / expected,
        }
        if reason := named(found, slips, **settings):
            return wrong(f"None of your powers is right. {reason}")
    if (abs(found) < 0.75 * expected).all():
        return wrong(
            "All your powers are too small: the law holds far out only.",
            "Do most of your points lie in the tail?",
        )
    for i, name in enumerate(trials):
        verdict = compare(found[i], expected[i], name=f"Your power of {name}", **settings)
        if verdict:
            continue
        if np.ptp(found) < 1e-3:
            verdict = verdict.because("It is the same for all samples, and the samples are not.")
        elif i == 1:
            verdict = verdict.because(
                "They are a thousand times larger, and so their tail begins farther out."
            )
        elif np.isfinite(found[i]) and abs(found[i] / expected[i] - 1) < 0.4:
            hint = "How many of the samples do you use, and which?"
            verdict = verdict.because(
                "It is near: some of the samples that you use are no tail."
            ).with_hint(hint)
        return verdict
    try:
        signed = np.array([_number(ask(answer, x.copy())) for _, x in trials.values()])
    except Stop:
        signed = np.nan
    if not compare(signed, expected, **settings):
        return wrong(
            "Your powers are right for positive samples only: what is large and negative is large, "
            "too."
        )
    return right("Your powers are right for four kinds of samples, in any units.")


def _number(found, name="The power"):
    """One real number, or a verdict."""
    if np.shape(found) not in ((), (1,)):
        raise Stop(wrong(f"{name} is one number, got something of shape {np.shape(found)}."))
    number = real(found)
    if number is None:
        raise Stop(wrong(f"{name} is a number, got {kind(found)}."))
    return number.item()


@check(
    "return your activation.",
    title="A bell of your own",
    hints=(
        "Integrate twice, from far on the left. The first integral is well known in statistics.",
        "For the second one, try x times the first integral. Differentiate it: what is too "
        "much, and what has that as its slope?",
    ),
)
def bell(answer: Callable) -> Verdict:
    """An activation whose curvature is the normal density: `answer(x) -> f(x)`, elementwise."""
    x = jnp.asarray([*np.linspace(-6.0, 6.0, 49), -50.0, 50.0])
    found = ask(answer, x)
    if np.shape(found) != x.shape:
        return wrong(f"Expected one value for each of {x.shape}, got shape {np.shape(found)}.")

    def slope(x):
        return jax.jvp(answer, (x,), (1.0,))

    def derivatives(x):
        (value, first), (_, second) = jax.jvp(slope, (x,), (1.0,))
        return value, first, second

    try:
        alone, slopes, bends = map(np.asarray, ask(jax.jit(jax.vmap(derivatives)), x))
    except Stop as stop:
        reason = "JAX has to differentiate it twice: write it with jnp, and for one number, too."
        raise Stop(stop.verdict.because(reason)) from stop
    finite = np.isfinite([found, slopes, bends]).all(axis=0)
    if not finite.all():
        where = "near zero" if not finite[:-2].all() else "far from zero"
        at = x[np.argmin(finite)]
        return wrong(f"Your f, its slope or its curvature is not finite {where}, at x = {at:g}.")
    if not compare(alone, found, atol=1e-5):
        at = int(np.argmax(abs(alone - found)))
        return wrong(
            f"At x = {x[at]:g} your f of one number alone differs from that of the number in an "
            "array."
        )
    x, bend = np.asarray(x)[:-2], bends[:-2]
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    verdict = compare(bend, density, name="Your f''", rtol=0.0, atol=1e-4)
    if not verdict:
        settings = {"rtol": 0.0, "atol": 1e-2}
        if compare(bend, density, **settings):
            return wrong(
                "Your f'' is close to the normal density, and not equal: a piece of your f is an "
                "approximation."
            )
        s = 1 / (1 + np.exp(-x))
        slips = {
            "This is softplus: its bell has thicker tails.": s * (1 - s),
            "GELU bends down on both sides; a bell does not.": (2 - x**2) * density,
            "This is the bell itself, not what has it as curvature.": (x**2 - 1) * density,
            "This is a bell after one integration.": -x * density,
            "Your curvature is a narrower bell.": np.exp(-(x**2)) / np.sqrt(np.pi),
            "Your curvature is a wider bell.": np.exp(-(x**2) / 4) / np.sqrt(4 * np.pi),
            "Your f is straight nearly everywhere.": 0 * x,
        }
        at = f"It is farthest off at x = {x[np.argmax(abs(bend - density))]:g}."
        by_a_factor = " off by " in verdict.message or "sign" in verdict.message
        return verdict.because(named(bend, slips, **settings) or ("" if by_a_factor else at))
    for value, name in [(slopes, "its slope"), (found, "f itself")]:
        if abs(value[0]) > 1e-3:
            return wrong(
                f"The curvature is right. But far on the left {name} does not vanish: at x = "
                f"{x[0]:g} it is {value[0]:.2g}."
            )
    astray = [found[-2], found[-1] / 50 - 1, slopes[-2], slopes[-1] - 1, bends[-2], bends[-1]]
    if np.abs(astray).max() > 1e-3:
        at = (-50, 50)[np.argmax(np.abs(astray)) % 2]
        return wrong(f"The curvature is right near zero. But at x = {at} your f goes astray.")
    return right("The curvature is the normal density, and f is finite and flat where it should.")
