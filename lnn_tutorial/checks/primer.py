"""Checks of the primer, a network and how it learns."""

from collections.abc import Callable
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial.checks.verdict import Stop, Verdict, ask, check, compare, right, wrong


@check(
    "return the parameters after the last step.",
    title="Downhill",
    hints=(
        "One step takes parameters to parameters. What does the page's function `step` do to them?",
        "The slope changes on the way. What has to be computed anew in every step?",
    ),
)
def descend(answer: Callable) -> Verdict:
    """Gradient descent: `answer(loss, params, rate, steps) -> params`, for any nest of arrays."""
    stiffness = jnp.array([1.0, 3.0, 6.0])
    valley, begin = jnp.array([0.5, -1.0, 2.0]), jnp.array([2.0, 1.0, -1.5])

    def bowl(params):
        return 0.5 * jnp.sum(stiffness * (params - valley) ** 2)

    def after(steps, rate=0.1):
        return valley + (1 - rate * stiffness) ** steps * (begin - valley)

    found = ask(answer, bowl, begin, 0.1, 7)
    if (
        isinstance(found, tuple | list)
        and len(found) > 1
        and any(map(np.shape, jax.tree.leaves(found)))
    ):
        many = "two" if len(found) == 2 else "several"
        return wrong(f"You return {many} things; return the parameters alone.")
    if np.shape(found) == ():
        return wrong("You return one number, but it is the parameters that are wanted.")
    settings = {"rtol": 1e-3, "atol": 1e-4}
    verdict = compare(found, after(7), name="What you return for a bowl", **settings)
    slips = {
        "You return the parameters as they were handed in.": begin,
        "You climb: every step makes the loss larger.": after(7, -0.1),
        "You take one step, however many are asked for.": after(1),
        "You take one step too few.": after(6),
        "You take one step too many.": after(8),
        "You use the slope of the start in every step.": begin - 0.7 * stiffness * (begin - valley),
        "Your steps are as long as the gradient: the learning rate makes no difference.": after(
            7, 1.0
        ),
        "You return a gradient, but it is the parameters that are wanted.": stiffness
        * (after(7) - valley),
    }
    if not verdict:
        return _named(verdict, found, slips, settings)
    return _for_a_nest(answer, after(2), bowl, begin)


def _for_a_nest(answer, expected, bowl, begin):
    """The same for parameters that are not one array."""
    nest = {"a": begin[:1], "b": [begin[1], begin[2:]]}

    def spread(params):
        first, (second, third) = params["a"], params["b"]
        return bowl(jnp.concatenate([first, second[None], third]))

    try:
        found = ask(answer, spread, nest, 0.1, 2)
    except Stop as stop:
        if stop.verdict is None:
            raise
        said = stop.verdict.message
        return wrong(
            f"Right for one array. For a nest of arrays: {said}",
            "Which tool does the same to every array of a nest?",
        )
    if jax.tree.structure(found) != jax.tree.structure(nest):
        return wrong(
            "Right for one array. For a nest of arrays you return something of another form."
        )
    flat = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(found)])
    name = "Right for one array. What you return for a nest of arrays"
    verdict = compare(flat, expected, name=name, rtol=1e-3, atol=1e-4)
    return verdict and right("Your steps lead downhill, for an array and for a nest of arrays.")


@check(
    "return what comes out of the last layer.",
    title="As deep as you like",
    hints=(
        "What comes out of one layer goes into the next. A loop over the layers will do.",
        "Which layer is different, and how do you keep it apart from the others?",
    ),
)
def deep_network(answer: Callable) -> Verdict:
    """A network of any depth: `answer(params, x) -> outputs`, softplus between the layers."""
    x = jnp.array([0.8, -1.1])
    settings = {"rtol": 1e-4, "atol": 1e-4}
    for depth, words in ((3, "three hidden layers"), (1, "one hidden layer")):
        params = _layers((2, *depth * (4,), 3))
        name = f"What comes out of {words}"
        found = ask(answer, params, x)
        verdict = compare(found, _through(params, x), name=name, **settings)
        if verdict:
            continue
        bare = [{**layer, "bias": 0 * layer["bias"]} for layer in params]
        slips = {
            "You bend what comes out of the last layer, too.": _through(params, x, last=_soft),
            "Your biases do not count.": _through(bare, x),
            "Nothing bends in your network: it is a single straight line.": _through(
                params, x, bend=lambda z: z
            ),
            "You bend what goes into a layer, and not what comes out of it.": _through(
                params, _soft(x)
            ),
            "You pass some of the layers by.": _through([params[0], params[-1]], x),
        }
        slips |= {
            f"You bend with another function than softplus: {bend.__name__}.": _through(
                params, x, bend=bend
            )
            for bend in (jax.nn.relu, jnp.tanh, jax.nn.sigmoid, jax.nn.softmax)
        }
        return _named(verdict, found, slips, settings)
    return right("Your network is right, with one hidden layer and with three.")


_soft = jax.nn.softplus


def _named(verdict, found, slips, settings):
    """The first slip that explains what was found, as a verdict; else the verdict as it is."""
    for message, slip in slips.items():
        if compare(found, slip, **settings):
            return wrong(message)
    return verdict


def _layers(sizes):
    """Parameters of a network, drawn from fixed seeds, biases too."""
    dice = np.random.default_rng(3)
    return [
        {
            "weight": jnp.asarray(dice.normal(size=(n_in, n_out)), dtype=jnp.float32),
            "bias": jnp.asarray(dice.normal(size=n_out), dtype=jnp.float32),
        }
        for n_in, n_out in pairwise(sizes)
    ]


def _through(params, x, bend=_soft, last=lambda z: z):
    for layer in params[:-1]:
        x = bend(x @ layer["weight"] + layer["bias"])
    return last(x @ params[-1]["weight"] + params[-1]["bias"])
