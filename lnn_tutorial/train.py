r"""Training: losses on accelerations, and one loop that serves every model.

`fit` draws a fresh batch for every step from its key, runs the steps in compiled chunks, shows a
progress bar, stops with the number of the step when something is no longer finite or the loss
explodes, and can be killed and resumed: the batch of step k depends on the key and on k alone, so
on one machine the end is the same bit by bit.
"""

import json
import os
import time
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from tqdm.auto import tqdm

from lnn_tutorial import _inputs, integrate, store

CHECKPOINT = "checkpoint.npz"


def relative_error(predicted, true, scale):
    r"""Bounded relative error of one acceleration, ‖â − a‖ / √(s² + ‖a‖² + ‖â‖²), below √2.

    Where a learned mass matrix is nearly singular, â = M⁻¹r is huge; here such a state costs no
    more than a plainly wrong one, and its gradient stays small.

    Args:
        predicted: â `[d]`.
        true: a `[d]`.
        scale: s, a typical acceleration, in the units of a.

    Returns:
        Scalar without unit.
    """
    miss = jnp.sum((predicted - true) ** 2)
    size = scale**2 + jnp.sum(true**2) + jnp.sum(predicted**2)
    # The smallest normal number keeps the square root differentiable at a perfect prediction.
    return jnp.sqrt(miss / size + jnp.finfo(size.dtype).tiny)


def absolute_error(predicted, true, scale=None):
    r"""The paper's L1 error of one acceleration, Σᵢ |âᵢ − aᵢ|; `scale` is not used."""
    return jnp.sum(jnp.abs(predicted - true))


def squared_error(predicted, true, scale=None):
    r"""L2 error of one acceleration, Σᵢ (âᵢ − aᵢ)²; `scale` is not used."""
    return jnp.sum((predicted - true) ** 2)


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
        Function `(params, (q [n, d], q_dot [n, d], q_ddot [n, d])) -> scalar`; a context `[n, c]`
        comes as the batch's fourth array.
    """
    _inputs.choice("loss", name, LOSSES)
    _inputs.positive(scale=scale)
    compare = _compared(model)

    def loss(params, batch):
        def one(*state):
            pairs = compare(params, *state)
            return sum(LOSSES[name](*pair, scale) for pair in pairs) / len(pairs)

        return jax.vmap(one)(*batch).mean()

    return loss


def _compared(model):
    """What training compares, pairs of (predicted, true): by default the accelerations."""

    def accelerations(params, q, q_dot, q_ddot, *context):
        return [(model.acceleration(params, q, q_dot, *context), q_ddot)]

    return getattr(model, "compare", accelerations)


def labelled(system):
    """Fresh states of a system with their true accelerations.

    Args:
        system: anything with `sample(key, n)` and `acceleration(q, q_dot)`; with a third argument
            where states come with a context.

    Returns:
        Function `(key, n) -> (q [n, d], q_dot [n, d], q_ddot [n, d])`, and the context `[n, c]`
        as a fourth array where there is one.
    """

    def batch(key, n):
        q, q_dot, *context = system.sample(key, n)
        return q, q_dot, jax.vmap(system.acceleration)(q, q_dot, *context), *context

    return batch


def visited(system, key, *, starts=2000, seconds=40.0, frame=0.4, substeps=20, slower=5, noise=0.5):
    """Fresh states near those that a moving system visits, with their true accelerations.

    Motions from `starts` states of the system's box, with velocities divided by `slower`, are
    followed by RK4 and looked at every `frame` seconds. A batch picks among what was seen, and
    blurs each coordinate and velocity with a normal noise, so that the network also learns how
    to come back from beside a true motion.

    Args:
        system: anything with `sample(key, n)` and `acceleration(q, q_dot)`.
        key: a JAX random key.
        starts: how many motions.
        seconds: how long each.
        frame: seconds between two looks.
        substeps: Runge–Kutta steps between two looks.
        slower: what the sampled velocities are divided by.
        noise: standard deviation of the blur, in the units of each coordinate and velocity.

    Returns:
        Function `(key, n) -> (q [n, d], q_dot [n, d], q_ddot [n, d])`.
    """
    _inputs.count(starts=starts, substeps=substeps)
    _inputs.positive(seconds=seconds, frame=frame, slower=slower)
    _inputs.number(noise=noise)
    if noise < 0:
        raise ValueError(f"expected noise >= 0, got {noise}")

    def motion(q, q_dot):
        settings = {"dt": frame, "steps": max(1, round(seconds / frame)), "substeps": substeps}
        return integrate.rollout(system.acceleration, q, q_dot / slower, **settings)

    q, q_dot = jax.jit(jax.vmap(motion))(*system.sample(key, starts))
    seen = jnp.concatenate([q, q_dot], axis=-1).reshape(-1, 2 * system.dim)

    def batch(key, n):
        pick, blur = jax.random.split(key)
        states = seen[jax.random.randint(pick, (n,), 0, len(seen))]
        states = states + noise * jax.random.normal(blur, states.shape)
        q, q_dot = states[:, : system.dim], states[:, system.dim :]
        return q, q_dot, jax.vmap(system.acceleration)(q, q_dot)

    return batch


def muon(peak, steps, warmup=0.05):
    """Muon with a warm-up to `peak` over a share `warmup` of the steps, then a cosine to zero.

    Muon orthogonalises the update of every matrix; biases are left to Adam.

    Source: Jordan et al. (2024); `optax.contrib.muon`.
    """
    _inputs.positive(peak=peak)
    _inputs.count(steps=steps)
    first = max(1, int(warmup * steps))
    schedule = optax.warmup_cosine_decay_schedule(0.0, peak, first, max(steps, first + 1))
    return optax.contrib.muon(schedule)


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
    compare = _compared(model)

    def one(found, true):
        size = scale**2 + jnp.sum(true**2) + jnp.sum(found**2)
        return (found - true) / jax.lax.stop_gradient(jnp.sqrt(size))

    def residual(params, *state):
        return jnp.concatenate([one(*pair) for pair in compare(params, *state)])

    return residual


def gauss_newton(residual, rate, damping=1e-4, momentum=0.9):
    r"""Gauss–Newton steps on fresh batches, for the last digits of a network already trained.

    With r the residuals of a batch and J their Jacobian with respect to the parameters θ,

        φ ← μ φ + Jᵀ (J Jᵀ + λ)⁻¹ (r − μ J φ),    θ ← θ − η φ,

    where λ is `damping` times the mean of the diagonal of J Jᵀ. The matrix to be solved has a row
    for each residual of the batch, so a step costs far more than one of Muon, and does far more. A
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


class DivergedError(FloatingPointError):
    """Training has lost its way: an infinity or a NaN, or a loss far above the best so far.

    Attributes:
        step: the step where that began, counted from 0.
        params: parameters from before; finite.
        losses: the losses before `step`.
    """

    def __init__(self, what, step, params, losses):
        super().__init__(f"{what}; lower the learning rate or use a bounded loss")
        self.step, self.params, self.losses = step, params, losses


class NonFiniteError(DivergedError):
    """Training met an infinity or a NaN."""


class Fit(NamedTuple):
    """What training leaves: parameters, the loss of every step before its update, wall time."""

    params: object
    losses: np.ndarray
    seconds: float


class _State(NamedTuple):
    params: object
    optimizer: object


def fit(
    loss,
    params,
    batches,
    *,
    key,
    steps,
    batch_size=128,
    optimizer=None,
    chunk=500,
    patience=100.0,
    checkpoint=None,
    configuration=None,
    progress=True,
    label="training",
):
    """Minimise a loss over fresh batches.

    Args:
        loss: function `(params, batch) -> scalar`, such as `acceleration_loss(model)`.
        params: where to begin, a pytree.
        batches: function `(key, n) -> batch`, such as `labelled(system)`.
        key: a JAX random key; step k draws from `jax.random.fold_in(key, k)`.
        steps: number of steps.
        batch_size: states in a batch.
        optimizer: an optax optimiser; by default `muon(0.01, steps)`. Its `update` is handed the
            batch as well, which `gauss_newton` needs and others ignore.
        chunk: steps between two looks at the numbers, and between two checkpoints.
        patience: training stops once the median loss of a chunk is above that of the first chunk
            and that many times the least one so far.
        checkpoint: a folder; the state is written there after each chunk, and a run that finds
            its own state there goes on from it.
        configuration: dict that JSON can hold, for what `fit` cannot see itself, such as the names
            of the model, the loss and the data; a checkpoint of another one is refused.
        progress: whether to show a bar.
        label: the bar's label.

    Returns:
        `Fit(params, losses [steps], seconds)`; of a resumed run, the seconds of all its parts.

    Raises:
        NonFiniteError: a loss or a parameter is not finite; it says at which step that began.
        DivergedError: the loss has exploded, see `patience`.
        StoreError: the checkpoint is damaged or belongs to another run.
    """
    for name, value in (("loss", loss), ("batches", batches)):
        _inputs.function(name, value)
    _inputs.count(steps=steps, batch_size=batch_size, chunk=chunk)
    _inputs.positive(patience=patience)
    configuration = _as_json(configuration)
    if not jax.dtypes.issubdtype(getattr(key, "dtype", None), jax.dtypes.prng_key):
        raise TypeError(f"expected key from jax.random.key(seed), got {type(key).__name__}")
    optimizer = optax.with_extra_args_support(optimizer or muon(0.01, steps))

    def step(state, k):
        batch = batches(jax.random.fold_in(key, k), batch_size)
        value, gradient = jax.value_and_grad(loss)(state.params, batch)
        updates, moments = optimizer.update(gradient, state.optimizer, state.params, batch=batch)
        return _State(optax.apply_updates(state.params, updates), moments), value

    run = jax.jit(lambda state, ks: jax.lax.scan(step, state, ks))
    params = jax.tree.map(jnp.asarray, params)
    state, losses = _State(params, optimizer.init(params)), np.zeros(steps, np.float32)
    done, seconds = 0, 0.0
    if checkpoint is not None:
        checkpoint = Path(checkpoint) / CHECKPOINT
        made_by = {
            "steps": steps,
            "batch_size": batch_size,
            "chunk": chunk,
            "key": jax.random.key_data(key).tolist(),
            "configuration": configuration,
        }
        if checkpoint.exists():
            state, losses, done, seconds = _resume(checkpoint, state, losses, made_by)
    began = time.perf_counter() - seconds
    # tqdm's bar for notebooks does not look at TQDM_DISABLE by itself.
    off = not progress or os.environ.get("TQDM_DISABLE", "0") not in ("", "0")
    with tqdm(total=steps, initial=done, desc=label, disable=off) as bar:
        while done < steps:
            ks = np.arange(done, min(done + chunk, steps))
            before, (state, values) = state, run(state, ks)
            losses[ks] = values
            _require_sane(losses[: ks[-1] + 1], chunk, patience, before, state)
            done, seconds = int(ks[-1]) + 1, time.perf_counter() - began
            if checkpoint is not None:
                progress_made = {"done": done, "seconds": seconds}
                store.save(checkpoint, (state, losses), {**made_by, **progress_made})
            bar.update(len(ks))
            bar.set_postfix(loss=f"{np.median(losses[ks]):.3g}")
    return Fit(state.params, losses, seconds)


def _require_sane(losses, chunk, patience, before, state):
    bad = ~np.isfinite(losses)
    if bad.any():
        k = int(bad.argmax())
        what = f"training is no longer finite: the loss is {losses[k]} at step {k}"
        raise NonFiniteError(what, k, before.params, losses[:k])
    if not all(bool(jnp.isfinite(x).all()) for x in jax.tree.leaves(state.params)):
        k = len(losses) - 1
        what = f"training is no longer finite: a parameter is not finite at step {k}"
        raise NonFiniteError(what, k, before.params, losses[:k])
    medians = [float(np.median(losses[k : k + chunk])) for k in range(0, len(losses), chunk)]
    best = int(np.argmin(medians))
    if medians[-1] > patience * medians[best] and medians[-1] > medians[0]:
        k = chunk * (len(medians) - 1)
        what = (
            f"training has diverged: the loss is {medians[-1]:.3g} from step {k} on, "
            f"and was {medians[best]:.3g} from step {chunk * best} on"
        )
        raise DivergedError(what, k, before.params, losses[:k])


def _as_json(configuration):
    """A configuration as it will come back from a checkpoint."""
    if not isinstance(configuration, (dict, type(None))):
        got = type(configuration).__name__
        raise TypeError(f"expected configuration to be a dict or None, got {got}")
    try:
        return json.loads(json.dumps(configuration or {}, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise TypeError(f"expected a configuration that JSON can hold: {error}") from error


def _resume(path, state, losses, made_by):
    header = store.read_header(path)
    theirs, ours = (made.get("configuration", {}) for made in (header, made_by))
    facts = [(name, header.get(name), made_by[name]) for name in made_by if name != "configuration"]
    facts += [(name, theirs.get(name), ours.get(name)) for name in {**theirs, **ours}]
    for name, found, expected in facts:
        if found != expected:
            raise store.StoreError(
                f"{path}: of another run: its {name} is {found!r}, this run's is {expected!r}"
            )
    (state, losses), _ = store.load(path, (state, losses))
    return state, np.array(losses), header["done"], header["seconds"]
