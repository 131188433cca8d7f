r"""The study behind Eq. 16: which weights make accelerations and their gradients look normal?

A network starts well, says Appendix C of the paper, if what it returns and the gradient of that
with respect to each weight are distributed like N(0, 1). For a Lagrangian network what it returns
is the acceleration. `kl` measures the distance from that as the paper's code does, by means and
standard deviations. But M⁻¹ has poles, no mean exists beside a pole, and the worst state decides;
`typical_kl` asks the same question of the typical state. Both are functions of the logarithms of
the layers' standard deviations; `search` and `descend` minimise them.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from lnn_tutorial import _inputs, models, networks

TYPICAL_NORMAL = 0.6521
"""`typical_size` of standard normal numbers, exp E[log|x|] over the central half of |x|."""


class Divergence(NamedTuple):
    """Distances from N(0, 1), in nats: of each acceleration, of each layer's gradient."""

    outputs: jax.Array
    gradients: jax.Array

    @property
    def total(self):
        """The sum of all of them, a scalar."""
        return self.outputs.sum() + self.gradients.sum()


def gaussian_kl(mean, std):
    r"""Kullback–Leibler divergence of N(mean, std²) from N(0, 1), ½ (mean² + std² − 1) − ln std.

    Source: Cranmer et al. (2020), Appendix C names it, their code writes it so.
    """
    return (mean**2 + std**2 - 1) / 2 - jnp.log(std)


def draw(log_sigma, key, model, states):
    """Draw a network and states from one key.

    Args:
        log_sigma: logarithm of the standard deviation of each layer's weights `[layers]`.
        key: a JAX random key.
        model: a `models.LNN` without kinetic offset.
        states: how many.

    Returns:
        `(params, q [states, d], q_dot [states, d])`: normal weights, biases zero; q and q̇ from
        N(0, 1).
    """
    if not isinstance(model, models.LNN) or model.kinetic_offset:
        raise TypeError(f"expected an LNN with kinetic_offset=False, got {model}")
    _inputs.count(minimum=4, states=states)
    log_sigma = _inputs.vector("log_sigma", log_sigma)
    weight_key, state_key = jax.random.split(key)
    params = networks.draw(weight_key, model.sizes, jnp.exp(log_sigma))
    q, q_dot = jax.random.normal(state_key, (2, states, model.dim))
    return params, q, q_dot


def sample(log_sigma, key, model, states=256):
    r"""Accelerations of a drawn network at drawn states, and the gradient of their sum.

    Args: as `draw`.

    Returns:
        `(q_ddot [states, d], gradient)`, the gradient a list of one array for each layer's weights.

    Source: the public code of Cranmer et al. (2020); the paper does not say what is summed.
    """
    params, q, q_dot = draw(log_sigma, key, model, states)

    def accelerations(params):
        return jax.vmap(lambda *state: model.acceleration(params, *state))(q, q_dot)

    q_ddot, pull_back = jax.vjp(accelerations, params)
    (gradient,) = pull_back(jnp.ones_like(q_ddot))
    return q_ddot, [layer["weight"] for layer in gradient]


def kl(log_sigma, key, model, states=256):
    r"""The paper's objective for one drawn network: distances of q̈ and of ∂(Σ q̈)/∂W from N(0, 1).

    Each coordinate of q̈ gives one distance, from its mean and standard deviation over the states.
    So does each layer, from those over the entries of its gradient.

    Args: as `draw`.

    Returns:
        `Divergence`.

    Source: Cranmer et al. (2020), Appendix C, and the public code, without that code's added pull
    towards Glorot's standard deviations.
    """
    q_ddot, gradient = sample(log_sigma, key, model, states)
    return Divergence(
        gaussian_kl(q_ddot.mean(axis=0), q_ddot.std(axis=0)),
        jnp.stack([gaussian_kl(g.mean(), g.std()) for g in gradient]),
    )


def with_last_layer(log_sigma, key, model, draws=100):
    r"""log σ with the last layer's set so that the entries of its gradient have size one.

    q̈ does not depend on the scale of the last layer, and ∂q̈/∂W of that layer is proportional to
    1/σ. So whatever the other σ are, the last one follows: σ times the standard deviation that the
    entries have at σ, here its median over draws.

    Args:
        log_sigma: as in `draw`; its last entry matters for rounding only.
        key: a JAX random key.
        model: as in `draw`.
        draws: how many networks to look at.

    Returns:
        log σ `[layers]`, the same but for the last entry.
    """
    _inputs.count(draws=draws)

    def log_size(key):
        _, gradient = sample(log_sigma, key, model)
        return jnp.log(gradient[-1].std())

    sizes = jax.lax.map(log_size, jax.random.split(key, draws))
    return jnp.asarray(log_sigma).at[-1].add(jnp.median(sizes))


def typical_kl(log_sigma, key, model, states=32):
    r"""The same question, asked of the typical state: is the typical size of q̈ and ∂q̈/∂W one?

    The size of a layer's gradient at one state is the root mean square of the entries of
    ∂(Σᵢ q̈ᵢ)/∂W, what is typical of the states is `typical_size`, and the distance is that of
    N(0, size²) from N(0, 1). A pole moves no typical size, so this one has a useful gradient.

    Args: as `draw`.

    Returns:
        `Divergence`.
    """
    params, q, q_dot = draw(log_sigma, key, model, states)

    def total(params, q, q_dot):
        q_ddot = model.acceleration(params, q, q_dot)
        return q_ddot.sum(), q_ddot

    gradient, q_ddot = jax.vmap(jax.grad(total, has_aux=True), (None, 0, 0))(params, q, q_dot)
    sizes = [jnp.sqrt((layer["weight"] ** 2).mean(axis=(1, 2))) for layer in gradient]
    return Divergence(
        gaussian_kl(0.0, jax.vmap(typical_size)(q_ddot.T) / TYPICAL_NORMAL),
        jnp.stack([gaussian_kl(0.0, typical_size(size)) for size in sizes]),
    )


def typical_size(x):
    r"""Geometric mean of the central half of |x|, a scale that outliers at either end leave alone.

    Args:
        x: numbers `[n]`, n ≥ 4.

    Returns:
        Scalar, 0.65 for many standard normal numbers.

    Raises:
        ValueError: fewer than four numbers, or not a list of them.
    """
    if jnp.ndim(x) != 1 or x.size < 4:
        raise ValueError(f"expected numbers of shape [n], n >= 4, got shape {jnp.shape(x)}")
    logs = jnp.sort(jnp.log(jnp.abs(x)))
    return jnp.exp(logs[x.size // 4 : x.size - x.size // 4].mean())


class Search(NamedTuple):
    """What `search` and `descend` return."""

    log_sigma: jax.Array
    path: jax.Array


def search(objective, start, key, evaluations=2500, population=10, width=0.5, rate=0.1):
    r"""Minimise the median of a noisy objective by evolution: try around, go where ranks are low.

    Each generation evaluates `population` points, width × N(0, 1) around the present one and in
    pairs opposite to each other, every point with draws of its own. Only the ranks of their values
    count, so a value of 10¹² weighs no more than any other last place. The mean of rank times
    direction is the descent direction that Adam takes.

    Args:
        objective: function `(log_sigma, key) -> scalar`.
        start: log σ to start from `[layers]`.
        key: a JAX random key.
        evaluations: of the objective in all.
        population: points of one generation, an even number.
        width: of the generation around the present point.
        rate: of Adam; decays to zero as a cosine.

    Returns:
        `Search(log_sigma, path)`: the mean of the last quarter of the path, and the path
        `[generations, layers]`.

    Raises:
        TypeError, ValueError: settings that are none, an objective that is no scalar.
        FloatingPointError: an objective that was finite nowhere.

    Source: ranks and opposite pairs as in Salimans et al. (2017), Section 2.
    """
    _inputs.count(evaluations=evaluations)
    _inputs.count(minimum=2, population=population)
    if population % 2:
        raise ValueError(f"expected an even population, got {population}")
    _inputs.positive(width=width, rate=rate)

    def direction(log_sigma, key):
        towards_key, draws_key = jax.random.split(key)
        towards = jax.random.normal(towards_key, (population // 2, log_sigma.size))
        towards = jnp.concatenate([towards, -towards])
        keys = jax.random.split(draws_key, population)
        values = jax.lax.map(lambda at: objective(*at), (log_sigma + width * towards, keys))
        ranks = jnp.argsort(jnp.argsort(values)) / (population - 1) - 0.5
        # without a finite value the ranks are only the order of the points
        return jnp.where(jnp.isfinite(values).any(), 2 * ranks @ towards / population, 0.0)

    return _minimise(objective, direction, start, key, -(-evaluations // population), rate)


def descend(objective, start, key, steps=2500, rate=0.03):
    r"""Minimise the mean logarithm of an objective along its gradient, with fresh draws each step.

    The cut of the gradients is what a slope with heavy tails needs, and what leads it astray: many
    small slopes outvote few large ones. It is sound for `typical_kl` and not for `kl`.

    Args:
        objective: function `(log_sigma, key) -> scalar`, differentiable.
        start: log σ to start from `[layers]`.
        key: a JAX random key.
        steps: of Adam, each gradient cut to a length of 1 at most.
        rate: of Adam; decays to zero as a cosine.

    Returns, raises: as `search`; here the slope must be finite somewhere.
    """
    _inputs.count(steps=steps)
    _inputs.positive(rate=rate)

    def direction(log_sigma, key):
        slope = jax.grad(lambda log_sigma: jnp.log(objective(log_sigma, key)))(log_sigma)
        return jnp.where(jnp.isfinite(slope).all(), slope, 0.0)

    return _minimise(objective, direction, start, key, steps, rate)


def _minimise(objective, direction, start, key, steps, rate):
    start = _inputs.vector("start", start)
    found = jax.eval_shape(objective, start, key)
    if getattr(found, "shape", None) != ():
        raise ValueError(f"expected an objective that is a scalar, got {found}")
    optimizer = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.adam(optax.cosine_decay_schedule(rate, steps)),
    )

    def step(carry, key):
        log_sigma, state = carry
        update, state = optimizer.update(direction(log_sigma, key), state)
        log_sigma = log_sigma + update
        return (log_sigma, state), log_sigma

    keys = jax.random.split(key, steps)
    _, path = jax.jit(lambda x: jax.lax.scan(step, (x, optimizer.init(x)), keys))(start)
    if bool((path == start).all()):
        raise FloatingPointError("the objective or its slope was finite nowhere: nothing was found")
    return Search(path[-max(1, steps // 4) :].mean(axis=0), path)
