"""Training learns, is reproducible, survives being killed, and says where it broke."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import tqdm.notebook
from hypothesis import given
from hypothesis import strategies as st

from lnn_tutorial import data, evaluate, integrate, models, store, systems, train
from lnn_tutorial.train import looks, loop

SYSTEM = systems.Pendulum()
LNN = models.LNN(dim=1, angles=(True,), velocity_scale=5.0, width=8, depth=1)
NETWORK = models.PlainNetwork(
    dim=1, angles=(True,), velocity_scale=5.0, width=8, depth=1, acceleration_scale=10.0
)


class Spring:
    """What holds of the loop holds for any model, and this one compiles in no time."""

    def acceleration(self, params, q, q_dot):
        stiffness, friction = params["spring"]
        return -stiffness * q - friction * q_dot


MODEL = Spring()
LOSS = train.acceleration_loss(MODEL, scale=10.0)
BATCHES = train.labelled(SYSTEM)
SETTINGS = {
    "key": jax.random.key(1),
    "steps": 60,
    "batch_size": 16,
    "chunk": 20,
    "optimizer": optax.sgd(0.1, momentum=0.9),
    "progress": False,
}


def begin():
    return {"spring": jnp.array([1.0, 0.5])}


def of(system):
    """Labelled states, compiled."""
    return jax.jit(train.labelled(system), static_argnums=1)


def run(**change):
    return train.fit(LOSS, begin(), BATCHES, **{**SETTINGS, **change})


def assert_same_bits(a, b):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert np.asarray(x).tobytes() == np.asarray(y).tobytes()


def assert_same_fit(a, b):
    """The same bits, but for the seconds that they took."""
    assert_same_bits((a.params, a.losses), (b.params, b.losses))


@pytest.fixture(scope="module")
def whole():
    """A run from beginning to end."""
    return run()


def test_labels_are_the_true_accelerations():
    q, q_dot, q_ddot = of(SYSTEM)(jax.random.key(0), 50)
    assert q.shape == q_dot.shape == q_ddot.shape == (50, 1)
    np.testing.assert_allclose(q_ddot, -9.8 * np.sin(q), rtol=1e-5)


def test_labels_come_with_the_context_that_they_were_made_in():
    particle = systems.PaperParticle()
    q, q_dot, q_ddot, g = of(particle)(jax.random.key(0), 50)
    assert q.shape == q_ddot.shape == g.shape == (50, 1)
    expected = g * (1 - q_dot**2) ** 2.5 / (1 + 2 * q_dot**2)
    np.testing.assert_allclose(q_ddot, expected, rtol=1e-3)


vectors = st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=2).map(np.float32)


@given(vectors, vectors, st.floats(0.1, 100))
def test_the_relative_error_is_bounded_symmetric_and_zero_only_at_the_truth(a, b, scale):
    error = float(train.relative_error(a, b, scale))
    assert 0 <= error <= 2**0.5 * (1 + 1e-5)
    assert error == pytest.approx(float(train.relative_error(b, a, scale)), rel=1e-4, abs=1e-7)
    assert float(train.relative_error(a, a, scale)) < 1e-15


def test_rounding_of_a_perfect_prediction_does_not_reach_the_gradient():
    """Optimised, a prediction is rounded in the derivative otherwise than in the value."""
    face = {"dim": 1, "angles": (True,), "width": 48, "depth": 3, "activation": "silu"}
    model = models.PlainNetwork(**face, acceleration_scale=7.0)
    params = model.init(jax.random.key(0))
    q, q_dot = 3 * jax.random.normal(jax.random.key(1), (2, 1024, 1))
    with optimised_code():
        truth = jax.jit(jax.vmap(partial(model.acceleration, params)))(q, q_dot)
        slope = jax.jit(jax.grad(train.acceleration_loss(model, scale=1.8)))
        batches = [[x[k : k + 64] for x in (q, q_dot, truth)] for k in range(0, 1024, 64)]
        found = [slope(params, batch) for batch in batches]
        wrong = slope(params, (q, q_dot, truth + 1.8))
    largest = max(float(jnp.abs(x).max()) for x in jax.tree.leaves(found))
    assert largest < 10 * max(float(jnp.abs(x).max()) for x in jax.tree.leaves(wrong))


@contextmanager
def optimised_code():
    """Code as users run it."""
    jax.config.update("jax_disable_most_optimizations", False)
    try:
        yield
    finally:
        jax.config.update("jax_disable_most_optimizations", True)


def test_the_relative_error_stays_differentiable_where_it_is_zero():
    a = jnp.array([1.0, -2.0])
    assert bool(jnp.isfinite(jax.grad(train.relative_error)(a, a, 1.0)).all())


def test_the_other_losses_are_their_formulas():
    a, b = jnp.array([1.0, -2.0]), jnp.array([0.5, 1.0])
    assert float(train.absolute_error(a, b)) == pytest.approx(3.5)
    assert float(train.squared_error(a, b)) == pytest.approx(9.25)


def test_an_lnn_learns_the_pendulum_in_seconds():
    loss, start = train.acceleration_loss(LNN, scale=10.0), LNN.init(jax.random.key(0))
    settings = {"key": jax.random.key(1), "steps": 300, "batch_size": 32, "progress": False}
    fit = train.fit(loss, start, BATCHES, **settings)
    q, q_dot, q_ddot = of(SYSTEM)(jax.random.key(9), 1000)
    error = evaluate.acceleration_error(partial(LNN.acceleration, fit.params), q, q_dot, q_ddot)
    assert error["acceleration_relative_l2"] < 0.02
    assert np.median(fit.losses[-100:]) < 0.1 * np.median(fit.losses[:20])


def test_the_key_decides_everything(whole):
    again, other = run(), run(key=jax.random.key(2))
    assert_same_fit(whole, again)
    assert not np.array_equal(whole.losses, other.losses)


def test_the_losses_are_those_before_each_update(whole):
    key = jax.random.fold_in(SETTINGS["key"], 0)
    first = LOSS(begin(), train.labelled(SYSTEM)(key, SETTINGS["batch_size"]))
    assert whole.losses[0] == pytest.approx(float(first), rel=1e-5)


@contextmanager
def stopped_after(count, monkeypatch):
    """A run that comes to its end here once it has written so many checkpoints."""

    class Stop(Exception):
        pass

    def save(*arguments):
        if len(saved) == count:
            raise Stop
        saved.append(store.save(*arguments))

    saved, stopped = [], False
    monkeypatch.setattr(loop, "store", SimpleNamespace(**{**vars(store), "save": save}))
    try:
        yield
    except Stop:
        stopped = True
    monkeypatch.setattr(loop, "store", store)
    assert stopped


def test_an_unfinished_run_goes_on_to_the_same_bits(whole, tmp_path, monkeypatch):
    with stopped_after(2, monkeypatch):
        run(checkpoint=tmp_path)
    assert store.read_header(tmp_path / train.CHECKPOINT)["done"] == 40
    assert_same_fit(whole, run(checkpoint=tmp_path))
    assert_same_fit(whole, run(checkpoint=tmp_path))  # already done: nothing is trained again


CONFIGURATION = {"model": "a plain network", "loss": "l2", "seconds": 40.0, "sizes": (16, 16)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": "l1"}, "its loss is 'l2', this run's is 'l1'"),
        ({"seconds": 20.0}, "its seconds is 40.0, this run's is 20.0"),
        ({"sizes": (16, 8)}, r"its sizes is \[16, 16\], this run's is \[16, 8\]"),
        ({"noise": 0.5}, "its noise is None, this run's is 0.5"),
        ({"model": None}, "its model is 'a plain network', this run's is None"),
    ],
)
def test_a_checkpoint_of_another_configuration_is_refused_and_the_difference_named(
    configured, change, message
):
    with pytest.raises(store.StoreError, match=rf"checkpoint\.npz: of another run: {message}"):
        run(checkpoint=configured, configuration={**CONFIGURATION, **change})


def test_an_entry_that_this_run_no_longer_has_is_a_difference_too(configured):
    fewer = {name: CONFIGURATION[name] for name in ("model", "loss", "seconds")}
    with pytest.raises(store.StoreError, match=r"its sizes is \[16, 16\], this run's is None"):
        run(checkpoint=configured, configuration=fewer)
    with pytest.raises(store.StoreError, match="is 'a plain network', this run's is None"):
        run(checkpoint=configured)


def test_a_checkpoint_of_the_same_configuration_is_taken(whole, configured):
    assert_same_fit(whole, run(checkpoint=configured, configuration=CONFIGURATION))


@pytest.fixture(scope="module")
def configured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("configured")
    run(checkpoint=folder, configuration=CONFIGURATION)
    return folder


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"model": NETWORK}, "configuration that JSON can hold: .*PlainNetwork is not"),
        ({"noise": float("nan")}, "configuration that JSON can hold: Out of range"),
        ({(1, 2): "x"}, "configuration that JSON can hold: keys must be"),
        (["l1"], "configuration to be a dict or None, got list"),
    ],
)
def test_a_configuration_that_json_cannot_hold_is_refused_at_the_door(configuration, message):
    with pytest.raises(TypeError, match=message):
        run(configuration=configuration)


TRAINING = """
import os, signal, sys
import jax, numpy as np, optax
from lnn_tutorial import train
folder, killed = sys.argv[1], len(sys.argv) > 2
if killed:  # as the third checkpoint lies beside its name, and has yet to be given it
    replace, names = os.replace, []
    def give(source, name):
        names.append(name)
        os.kill(os.getpid(), signal.SIGKILL) if len(names) == 3 else replace(source, name)
    os.replace = give
def batches(key, n):
    return jax.random.normal(key, (n, 3)), jax.random.normal(key, (n,))
def fit(checkpoint):
    return train.fit(
        lambda w, batch: ((batch[0] @ w - batch[1]) ** 2).mean(), np.ones(3), batches,
        key=jax.random.key(1), steps=100, batch_size=16, chunk=20, optimizer=optax.adam(0.1),
        checkpoint=checkpoint, progress=False,
    )
resumed, whole = fit(folder), fit(None)
for x, y in zip(jax.tree.leaves(resumed[:2]), jax.tree.leaves(whole[:2]), strict=True):
    assert np.asarray(x).tobytes() == np.asarray(y).tobytes()
assert len(whole.losses) == 100
"""


def test_a_run_killed_with_no_warning_ends_with_the_same_bits(tmp_path):
    """And two processes whose hashes are seeded differently agree that it is the same run."""

    def start(*options):
        command = [sys.executable, "-c", TRAINING, str(tmp_path), *options]
        environment = {**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONHASHSEED": str(len(options))}
        return subprocess.run(command, env=environment, check=False).returncode

    assert start("killed") == -signal.SIGKILL
    assert store.read_header(tmp_path / train.CHECKPOINT)["done"] == 40
    assert len(list(tmp_path.iterdir())) == 2  # the half-finished third one was left behind
    assert start() == 0


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    run(checkpoint=folder)
    return folder


@pytest.mark.parametrize(
    "change", [{"steps": 61}, {"batch_size": 17}, {"key": jax.random.key(5)}, {"chunk": 30}]
)
def test_a_checkpoint_of_another_run_is_refused(finished, change):
    with pytest.raises(store.StoreError, match=f"another run: its {next(iter(change))} is "):
        run(checkpoint=finished, **change)


def weighted(states):
    """Batches of a user's own, with constants that only a look at them tells apart."""
    return lambda key, n: (states[:n], states[:n], -states[:n])


def pulled(scale):
    """Batches of a user's own, with a constant inside of a compiled function."""
    pull = jax.jit(lambda q: -jnp.asarray(scale) * q)

    def batches(key, n):
        q = jax.random.normal(key, (n, 1))
        return q, q, pull(q)

    return batches


def test_what_no_configuration_names_is_compared_all_the_same(finished, tmp_path):
    """Another model, loss, system, optimiser or data: the old result must not come back."""

    class Spring(type(MODEL)):
        def acceleration(self, params, q, q_dot):
            return super().acceleration(params, q, q_dot) + 1

    def again(loss=LOSS, batches=BATCHES, start=None, folder=finished, **change):
        settings = {**SETTINGS, "checkpoint": folder, **change}
        return train.fit(loss, start or begin(), batches, **settings)

    other = "its model, loss, data or optimiser are not this run's"
    for change in (
        {"loss": train.acceleration_loss(MODEL, "l2")},
        {"loss": train.acceleration_loss(MODEL, scale=5.0)},
        {"loss": train.acceleration_loss(Spring(), scale=10.0)},
        {"batches": train.labelled(systems.Pendulum(gravity=1.6))},
        {"optimizer": optax.sgd(0.2, momentum=0.9)},
        {"optimizer": optax.sgd(0.1)},
    ):
        with pytest.raises(store.StoreError, match=rf"checkpoint\.npz: of another run: {other}"):
            again(**change)
    with pytest.raises(store.StoreError, match="its first parameters are not this run's"):
        again(start={"spring": jnp.array([1.0, 0.6])})
    states = jnp.linspace(0.0, 1.0, 32)[:, None]
    once = again(batches=weighted(states), folder=tmp_path)
    assert_same_fit(once, again(batches=weighted(1 * states), folder=tmp_path))
    with pytest.raises(store.StoreError, match=other):
        again(batches=weighted(states.at[20].add(1e-6)), folder=tmp_path)
    # A function that is compiled by itself keeps its constants to itself.
    in_metres, in_feet = ({"batches": pulled(scale)} for scale in (np.ones(1), np.full(1, 0.3)))
    again(**in_metres, folder=tmp_path / "metres")
    with pytest.raises(store.StoreError, match=other):
        again(**in_feet, folder=tmp_path / "metres")


def test_a_damaged_checkpoint_is_named(tmp_path):
    run(checkpoint=tmp_path)
    path = tmp_path / train.CHECKPOINT
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(store.StoreError, match=r"checkpoint\.npz: damaged"):
        run(checkpoint=tmp_path)


def spoilt_at(step, row):
    """Batches of which that of one step has accelerations that are not finite."""

    def batches(key, n):
        q, q_dot, q_ddot = BATCHES(key, n)
        here = jax.random.key_data(key) == jax.random.key_data(
            jax.random.fold_in(SETTINGS["key"], step)
        )
        return q, q_dot, q_ddot.at[row].add(jnp.where(here.all(), jnp.nan, 0.0))

    return batches


@pytest.mark.parametrize("at", [0, 7, 20, 59])
def test_a_loss_that_is_not_finite_stops_training_at_its_step_and_names_the_row(at):
    """And no learning rate is blamed."""
    with pytest.raises(train.NonFiniteError) as caught:
        train.fit(LOSS, begin(), spoilt_at(at, 3), **SETTINGS)
    expected = f"the loss is nan at step {at}: its batch is not finite, q_ddot in row 3"
    assert str(caught.value) == f"training is no longer finite: {expected}"
    assert caught.value.step == at
    assert len(caught.value.losses) == at
    assert all(bool(jnp.isfinite(x).all()) for x in jax.tree.leaves(caught.value.params))


def test_parameters_that_are_not_finite_are_refused_before_the_first_step():
    with pytest.raises(ValueError, match=r"finite parameters .* not so params\['spring'\]"):
        train.fit(LOSS, {"spring": jnp.array([1.0, jnp.nan])}, BATCHES, **SETTINGS)


def test_an_update_that_blows_up_is_caught_even_at_the_last_step():
    with pytest.raises(train.NonFiniteError, match="a parameter is not finite at step 0"):
        run(steps=1, optimizer=optax.sgd(float("inf")))


def test_losses_keep_the_precision_that_they_have(whole):
    def precise(key, n):
        return tuple(x.astype(float) for x in BATCHES(key, n))

    assert whole.losses.dtype == np.float32
    with integrate.double_precision():
        losses = train.fit(LOSS, begin(), precise, **{**SETTINGS, "steps": 2}).losses
    assert losses.dtype == np.float64
    assert not np.array_equal(losses, losses.astype(np.float32))


# --- Divergence --------------------------------------------------------------------------------


def leap(k):
    """A learning rate that suits, and from step 20 on one ten thousand times as large."""
    return jnp.where(k < 20, 1e-3, 10.0)


def runaway(x, _):
    """A loss for which steps of plain descent grow: x → −3 x at a learning rate of 2."""
    return x**2


def descend(start=1.0, rate=2.0, steps=100, loss=runaway, **settings):
    return train.fit(
        loss,
        start,
        lambda key, n: None,
        **{**SETTINGS, "steps": steps, "chunk": 5, "optimizer": optax.sgd(rate)} | settings,
    )


def test_a_loss_that_explodes_stops_training_and_says_where_and_by_how_much():
    """x_k = (−3)^k: the medians of five losses are 9², 9⁷, …, and 9⁷/9² > 100."""
    with pytest.raises(train.DivergedError) as caught:
        descend()
    assert not isinstance(caught.value, train.NonFiniteError)
    error = caught.value
    assert "the loss is 4.78e+06 from step 5 on, and was 81 from step 0 on; lower the" in str(error)
    assert error.step == 5
    np.testing.assert_allclose(error.losses, 9.0 ** np.arange(5))
    assert float(error.params) == (-3.0) ** 5


def test_patience_is_how_much_worse_a_loss_may_become():
    """Each chunk is 9⁵ = 59,049 times worse than the one before."""
    with pytest.raises(train.DivergedError) as caught:
        descend(patience=60_000)
    assert caught.value.step == 10
    with pytest.raises(train.NonFiniteError):
        descend(patience=1e38)


def test_a_diverged_run_can_go_on_from_its_last_good_checkpoint(tmp_path):
    settings = {"steps": 20, "rate": 1.5}  # x → −2 x
    for _ in range(2):
        with pytest.raises(train.DivergedError, match="from step 5 on, and was 16 from step 0"):
            descend(**settings, checkpoint=tmp_path)
    assert store.read_header(tmp_path / train.CHECKPOINT)["done"] == 5
    assert_same_fit(
        descend(**settings, patience=1e30),
        descend(**settings, patience=1e30, checkpoint=tmp_path),
    )


def test_the_seconds_of_a_resumed_run_are_those_of_all_its_parts(tmp_path, monkeypatch):
    """A clock that tells ten seconds more at each look; four chunks, stopped after the first."""
    now = iter(range(0, 1000, 10))
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: next(now)))
    settings = {"steps": 20, "rate": 1.5}
    assert descend(**settings, patience=1e30).seconds == 40
    with pytest.raises(train.DivergedError):
        descend(**settings, checkpoint=tmp_path)
    assert store.read_header(tmp_path / train.CHECKPOINT)["seconds"] == 10
    for _ in range(2):  # the second time all is done, and no time passes
        assert descend(**settings, patience=1e30, checkpoint=tmp_path).seconds == 40


def test_convergence_to_nothing_is_no_divergence():
    """RMSprop reaches a minimum of 0, and then swings about it with steps of its own size."""

    def bounded(x, _):
        return x**2 / (1 + x**2)

    fit = descend(loss=bounded, steps=400, optimizer=optax.rmsprop(0.01))
    medians = np.median(fit.losses.reshape(-1, 5), axis=1)
    least = np.minimum.accumulate(medians)
    assert (medians > 100 * least).any(), "this loss never rose: the test tells nothing"
    assert fit.losses[-1] < 1e-4


def test_an_lnn_with_the_l1_loss_and_an_absurd_learning_rate_stops_early():
    """Its mass matrix passes through zero, and one acceleration outweighs all others."""
    loss, start = train.acceleration_loss(LNN, "l1"), LNN.init(jax.random.key(0))
    settings = {**SETTINGS, "steps": 400, "optimizer": optax.adam(leap)}
    with pytest.raises(train.DivergedError, match="or use a bounded loss, such as") as caught:
        train.fit(loss, start, BATCHES, **settings)
    assert 20 <= caught.value.step < 400
    assert all(bool(jnp.isfinite(x).all()) for x in jax.tree.leaves(caught.value.params))


def test_a_loss_that_is_bounded_is_not_advised_where_it_is_in_use():
    """With so little patience a bounded loss diverges as well, here upwards from its minimum."""
    optimizer = optax.sgd(lambda k: jnp.where(k < 40, 0.1, -100.0))
    with pytest.raises(train.DivergedError) as caught:
        run(optimizer=optimizer, patience=1.1)
    assert str(caught.value).endswith("begin from other parameters (the loss is bounded already)")


# --- Held-out states ---------------------------------------------------------------------------

FEW = data.arrays(*of(SYSTEM)(jax.random.key(7), 40))


def test_the_held_out_loss_is_noted_after_every_chunk(whole, monkeypatch, capsys):
    monkeypatch.setenv("TQDM_DISABLE", "0")
    fit = run(steps=50, held_out=FEW, progress=True)
    assert fit.held_out.shape == (3, 2)
    np.testing.assert_array_equal(fit.held_out[:, 0], [20, 40, 50])
    assert fit.held_out[-1, 1] == pytest.approx(float(LOSS(fit.params, FEW.batch())), rel=1e-6)
    assert f"held_out={fit.held_out[-1, 1]:.3g}" in capsys.readouterr().err
    assert_same_bits(fit.losses, whole.losses[:50])  # looking changes nothing
    assert whole.held_out is None


def test_many_held_out_states_are_looked_at_in_pieces(monkeypatch):
    """The mean over all of them, whatever the pieces; here of 14, 13 and 13."""
    at_once = run(steps=20, held_out=FEW).held_out
    monkeypatch.setattr(looks, "HELD_OUT_ROWS", 15)
    np.testing.assert_allclose(run(steps=20, held_out=FEW.batch()).held_out, at_once, rtol=1e-6)


def away_and_back(k):
    """Rates that go towards a minimum, and from step 30 on away from it."""
    return jnp.where(k < 30, 0.1, -0.1)


def test_the_best_parameters_are_kept_and_survive_a_resumption(tmp_path, monkeypatch):
    settings = {"held_out": FEW, "optimizer": optax.sgd(away_and_back), "chunk": 10}
    last, best = run(**settings), run(**settings, keep_best=True)
    least = last.held_out[:, 1].argmin()
    assert least == 2, "the loss was to rise after 30 steps"
    assert_same_bits(best.held_out, last.held_out)
    held_out = [float(LOSS(fit.params, FEW.batch())) for fit in (best, last)]
    np.testing.assert_allclose(held_out, last.held_out[[least, -1], 1], rtol=1e-6)
    with stopped_after(4, monkeypatch):
        run(**settings, keep_best=True, checkpoint=tmp_path)
    resumed = run(**settings, keep_best=True, checkpoint=tmp_path)
    assert_same_bits(resumed[:2], best[:2])
    assert_same_bits(resumed.held_out, best.held_out)
    with pytest.raises(store.StoreError, match="its keep_best is True, this run's is False"):
        run(**settings, checkpoint=tmp_path)
    with pytest.raises(store.StoreError, match="its held-out states are not this run's"):
        run(
            **{**settings, "held_out": data.rows(FEW.batch(), slice(30))},
            keep_best=True,
            checkpoint=tmp_path,
        )


def test_a_fit_tells_of_overfitting_in_a_line():
    losses, looks = np.full(2000, 0.011), np.array([[500, 0.05], [1000, 0.055], [2000, 0.0617]])
    fit = train.Fit(None, losses, 3.14)
    assert str(fit) == "2000 steps in 3.1 s: loss 0.011 in training"
    expected = (
        "2000 steps in 3.1 s: loss 0.011 in training, 0.0617 held out (least 0.05 after 500 steps)"
    )
    assert str(fit._replace(held_out=looks)) == expected
    looks = np.column_stack([looks, [0.06, 0.04, 0.03]])
    members = train.Fit(None, np.outer(losses, [1, 2]), 31.4, looks)
    assert str(members) == (
        "2000 steps of 2 members in 31 s: loss 0.011 to 0.022 in training, "
        "0.03 to 0.0617 held out (least 0.03 to 0.05 after 500 to 2000 steps)"
    )


# --- Ensembles ---------------------------------------------------------------------------------


def test_members_are_what_each_would_be_alone():
    """Muon, whose steps depend on whole matrices, in double precision: equal but for rounding."""
    loss, keys = (
        train.acceleration_loss(NETWORK, scale=10.0),
        jax.random.split(jax.random.key(3), 3),
    )
    with integrate.double_precision():
        params = jax.jit(jax.vmap(NETWORK.init))(keys)
        params = jax.tree.map(lambda x: x.astype(float), params)
        held_out = data.arrays(*(np.float64(x) for x in FEW.batch())).batch()
        settings = {"steps": 30, "batch_size": 16, "chunk": 10, "progress": False}
        settings |= {"held_out": held_out, "keep_best": True}
        together = train.fit(loss, params, BATCHES, key=keys, **settings)
        assert together.losses.shape == (30, 3)
        assert together.held_out.shape == (3, 4)
        start = jax.tree.map(lambda x: x[1], params)
        alone = train.fit(loss, start, BATCHES, key=keys[1], **settings)
    np.testing.assert_allclose(together.losses[:, 1], alone.losses, rtol=1e-10)
    np.testing.assert_allclose(together.held_out[:, 2], alone.held_out[:, 1], rtol=1e-10)
    for a, b in zip(jax.tree.leaves(together.params), jax.tree.leaves(alone.params), strict=True):
        assert a.dtype == b.dtype == np.float64
        np.testing.assert_allclose(a[1], b, rtol=1e-9, atol=1e-12)


KEYS = jax.random.split(jax.random.key(4), 2)


def two(**change):
    """Two springs: one that begins where `run` does, and one from elsewhere."""
    start = {"spring": jnp.array([[1.0, 0.5], [3.0, 0.0]])}
    settings = {**SETTINGS, "key": KEYS, **change}
    return train.fit(LOSS, start, BATCHES, **settings)


def test_an_ensemble_keeps_the_best_of_each_and_can_be_resumed(tmp_path, monkeypatch):
    settings = {"held_out": FEW, "keep_best": True, "chunk": 10}
    settings |= {"optimizer": optax.sgd(away_and_back)}
    fit = two(**settings)
    for i in range(2):
        member = jax.tree.map(lambda x: x[i], fit.params)  # noqa: B023
        found = float(LOSS(member, FEW.batch()))
        assert found == pytest.approx(fit.held_out[:, i + 1].min(), rel=1e-6)
    with stopped_after(4, monkeypatch):
        two(**settings, checkpoint=tmp_path)
    resumed = two(**settings, checkpoint=tmp_path)
    assert_same_bits((resumed[:2], resumed.held_out), (fit[:2], fit.held_out))


def test_gauss_newton_trains_members_too():
    residual = train.relative_residual(MODEL, 10.0)
    settings = {"optimizer": train.gauss_newton(residual, 0.3), "steps": 20}
    together, alone = two(**settings), run(**settings, key=KEYS[0])
    # The damped matrix has a condition number of about 10⁴, and float32 an ε of 10⁻⁷.
    np.testing.assert_allclose(together.losses[:, 0], alone.losses, rtol=5e-3)


def test_a_member_that_diverges_is_named():
    rates = {"loss": lambda x, _: x**2, "start": jnp.array([0.0, 1.0, 0.0])}
    with pytest.raises(train.DivergedError, match="training of member 1 has diverged: ") as caught:
        descend(**rates, key=jax.random.split(jax.random.key(0), 3))
    assert caught.value.member == 1
    assert caught.value.losses.shape == (5, 3)
    start = {"start": jnp.array([0.0, 1e30]), "key": KEYS, "rate": 1e9}
    with pytest.raises(train.NonFiniteError, match="training of member 1 is no longer") as caught:
        descend(**start)
    assert caught.value.member == 1
    with pytest.raises(train.DivergedError) as caught:
        descend()
    assert caught.value.member is None


def test_members_and_keys_must_be_as_many():
    with pytest.raises(ValueError, match=r"of 3 members along a leading axis.* shape \(2, 2\)"):
        two(key=jax.random.split(jax.random.key(0), 3))
    with pytest.raises(ValueError, match=r"got shape \(2,\) at params\['spring'\]"):
        run(key=KEYS[:1], steps=1)
    with pytest.raises(ValueError, match=r"one key or a vector of keys, got shape \(2, 1\)"):
        two(key=KEYS[:, None])


def test_stacked_parameters_with_one_key_are_refused():
    """Muon would orthogonalise stacked biases across members, and leave the matrices to Adam."""
    stacked = jax.jit(jax.vmap(NETWORK.init))(KEYS)
    with pytest.raises(ValueError, match=r"shape \(2, .* vector of keys, one for each"):
        train.fit(LOSS, stacked, BATCHES, key=KEYS[0], steps=1, progress=False)


# --- States that a moving system visits --------------------------------------------------------

DOUBLE = systems.DoublePendulum()
SHORT = {"starts": 3, "seconds": 2.0, "substeps": 40, "noise": 0.0}


def near_motions(system, key=0, **change):
    """`train.visited` for short, compiled."""
    batches = train.visited(system, jax.random.key(key), **{**SHORT, **change})
    return jax.jit(batches, static_argnums=1)


def test_visited_states_lie_on_motions_of_the_system():
    """Without blur, the energy of each is that of one of the starts, up to RK4's error."""
    q, v = DOUBLE.sample(jax.random.key(0), 3)
    starts = energy_of_double_pendulum(q, v / 5)
    q, v, _ = near_motions(DOUBLE)(jax.random.key(1), 50)
    found = energy_of_double_pendulum(q, v)
    miss = np.abs(found[:, None] - starts)
    assert miss.min(axis=1).max() < 1e-2 < 0.5 < np.diff(np.sort(starts)).min()
    assert set(miss.argmin(axis=1)) == {0, 1, 2}  # all motions are seen
    assert len(np.unique(np.asarray(q), axis=0)) > 12  # … at most of their 6 times
    assert np.abs(v).max() > 2  # … which begin slowly and gather speed


def energy_of_double_pendulum(q, v):
    """E with m = l = 1 and g = 9.8, in double precision."""
    (a, b), (a_dot, b_dot) = np.float64(q).T, np.float64(v).T
    kinetic = a_dot**2 + 0.5 * b_dot**2 + a_dot * b_dot * np.cos(a - b)
    return kinetic - 19.6 * np.cos(a) - 9.8 * np.cos(b)


def test_visited_states_are_decided_by_the_two_keys_alone():
    def draw(motions, batch):
        return near_motions(SYSTEM, motions)(jax.random.key(batch), 20)

    assert_same_bits(draw(0, 1), draw(0, 1))
    for other in (draw(0, 2), draw(2, 1)):
        assert not np.array_equal(draw(0, 1)[0], other[0])


def test_visited_states_are_blurred_by_the_noise_asked_for():
    """The same picks with and without: the difference is normal in every coordinate."""
    bare, blurred = (
        np.hstack(near_motions(SYSTEM, noise=noise)(jax.random.key(1), 4000)[:2])
        for noise in (0.0, 0.3)
    )
    noise = (blurred - bare) / 0.3
    assert noise.shape == (4000, 2)
    # 4000 draws: the mean is known to 0.016, the standard deviation to 0.011, a share to 0.008.
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.06)
    np.testing.assert_allclose(noise.std(axis=0), 1, atol=0.04)
    np.testing.assert_allclose((np.abs(noise) < 1).mean(axis=0), 0.683, atol=0.03)
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.06


def test_visited_states_have_their_true_accelerations():
    q, _, q_ddot = near_motions(SYSTEM, noise=0.5)(jax.random.key(1), 50)
    np.testing.assert_allclose(q_ddot, -9.8 * np.sin(q), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"starts": 0}, ValueError, "starts >= 1"),
        ({"starts": 2.5}, TypeError, "starts to be a whole number"),
        ({"substeps": 0}, ValueError, "substeps >= 1"),
        ({"seconds": 0.0}, ValueError, "seconds > 0"),
        ({"frame": -0.1}, ValueError, "frame > 0"),
        ({"slower": 0}, ValueError, "slower > 0"),
        ({"noise": float("nan")}, ValueError, "noise to be finite"),
        ({"noise": "much"}, TypeError, "noise to be a number"),
    ],
)
def test_bad_settings_of_visited_are_named(change, error, message):
    with pytest.raises(error, match=f"expected {message}"):
        train.visited(SYSTEM, jax.random.key(0), **change)


def test_systems_that_cannot_be_followed_or_labelled_are_refused():
    class Runaway(systems.Pendulum):
        def acceleration(self, q, q_dot):
            return 1e3 * q**3

    class Narrow(systems.DoublePendulum):
        def acceleration(self, q, q_dot):
            return super().acceleration(q, q_dot)[:1]

    class Timed(systems.Pendulum):
        def acceleration(self, q, q_dot, t):
            return -t * q

    key = jax.random.key(0)
    with pytest.raises(ValueError, match="a motion runs away: expected more substeps than 40"):
        train.visited(Runaway(), key, **SHORT)
    with pytest.raises(ValueError, match=r"expected a system without a context, got PaperPart"):
        train.visited(systems.PaperParticle(), key, **SHORT)
    with pytest.raises(ValueError, match=r"the shape of q, \(9, 2\), got \(9, 1\) from Narrow"):
        train.labelled(Narrow())(key, 9)
    for draw in (train.labelled, partial(train.visited, key=key)):
        with pytest.raises(ValueError, match="accelerations that do not depend on time, not so of"):
            draw(Timed())


# --- The bar, and what is refused --------------------------------------------------------------


@pytest.mark.parametrize("disabled", [False, True])
def test_a_bar_shows_the_loss_unless_it_is_switched_off(disabled, monkeypatch, capsys):
    monkeypatch.setenv("TQDM_DISABLE", "1" if disabled else "0")
    for progress in (True, False):
        descend(rate=0.1, progress=progress, label=f"progress {progress}")
    told = capsys.readouterr().err
    assert ("progress True: 100%" in told) != disabled
    assert ("loss=" in told) != disabled
    assert "progress False" not in told
    # No terminal, and over in less than ten seconds: of twenty chunks, lines for both ends alone.
    assert told.count("\r") <= 2


def test_a_notebooks_bar_is_switched_off_too(monkeypatch, capsys):
    monkeypatch.setattr(loop, "tqdm", tqdm.notebook.tqdm)
    monkeypatch.setenv("TQDM_DISABLE", "1")
    descend(rate=0.1, progress=True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"steps": 0}, ValueError, "steps >= 1"),
        ({"steps": 2.5}, TypeError, "steps to be a whole number"),
        ({"batch_size": -1}, ValueError, "batch_size >= 1"),
        ({"chunk": 0}, ValueError, "chunk >= 1"),
        ({"patience": 0}, ValueError, "patience > 0"),
        ({"patience": float("nan")}, ValueError, "patience to be finite"),
        ({"patience": 0.5}, ValueError, "patience >= 1, got 0.5"),
        ({"optimizer": 0.01}, TypeError, "an optax optimiser, got 0.01"),
        ({"optimizer": optax.adam}, TypeError, "an optax optimiser, got <function adam"),
        ({"checkpoint": __file__}, FileExistsError, "test_train.py"),
        ({"keep_best": True}, ValueError, "held_out batch with keep_best=True, got none"),
        ({"held_out": jnp.ones((5, 1))}, ValueError, r"trained on, \(\(1,\), .*, got \(1,\)"),
        ({"held_out": (jnp.ones((5, 1)),) * 2}, ValueError, "with rows as those trained on"),
        ({"held_out": (jnp.ones((5, 2)),) * 3}, ValueError, "with rows as those trained on"),
        ({"held_out": (jnp.ones((0, 1)),) * 3}, ValueError, r"as many rows .*, got \{\(0,\)\}"),
        (
            {"held_out": (jnp.ones((5, 1)), jnp.ones((5, 1)), jnp.ones((4, 1)))},
            ValueError,
            "as many rows in each array",
        ),
        (
            {"held_out": (*[jnp.ones((5, 1))] * 2, jnp.ones((5, 1)).at[3].set(jnp.inf))},
            ValueError,
            "finite held-out batch, not so q_ddot in row 3",
        ),
        ({"key": 0}, TypeError, r"jax\.random\.key"),
        ({"key": jax.random.PRNGKey(0)}, TypeError, r"jax\.random\.key"),
    ],
)
def test_bad_settings_are_refused(change, error, message):
    with pytest.raises(error, match=message):
        run(**change)


def test_unknown_losses_are_refused_and_the_known_listed():
    with pytest.raises(ValueError, match="known are: l1, l2, relative"):
        train.acceleration_loss(MODEL, "huber")
    with pytest.raises(ValueError, match="scale > 0"):
        train.acceleration_loss(MODEL, scale=0.0)
    with pytest.raises(TypeError, match=r"model\.acceleration to be a function, got NoneType"):
        train.acceleration_loss(SYSTEM.sample)


@pytest.mark.parametrize("warmup", [-0.1, 1.5])
def test_a_warmup_is_a_share_of_the_steps(warmup):
    with pytest.raises(ValueError, match="share 0 <= warmup <= 1"):
        train.muon(0.01, 100, warmup)


@pytest.mark.parametrize("name", ["l1", "l2", "relative", "residual"])
@pytest.mark.parametrize("kind", [models.PlainNetwork, models.HNN])
def test_accelerations_of_another_shape_are_refused_and_not_broadcast(kind, name):
    model = kind(dim=2, width=4)
    params, state = jax.eval_shape(model.init, jax.random.key(0)), jnp.ones((7, 2))
    if name == "residual":
        function = jax.vmap(train.relative_residual(model), (None, 0, 0, 0))
    else:
        loss = train.acceleration_loss(model, name)
        function = lambda params, *batch: loss(params, batch)  # noqa: E731
    with pytest.raises(ValueError, match=r"of one shape \[d\], got \(2,\) and \(1,\)"):
        jax.eval_shape(function, params, state, state, jnp.ones((7, 1)))


# --- Gauss–Newton ---------------------------------------------------------------------


def test_a_gauss_newton_step_is_the_least_change_that_solves_a_linear_problem():
    """For r = A θ − y with fewer rows than parameters: θ − A⁺(A θ − y)."""
    rng = np.random.default_rng(0)
    a, y, theta = rng.normal(size=(3, 2, 10)), rng.normal(size=(3, 2)), rng.normal(size=10)
    batch = (jnp.asarray(a, jnp.float32), jnp.asarray(y, jnp.float32))
    optimizer = train.gauss_newton(
        lambda params, a, y: a @ params["x"] - y, 1.0, damping=1e-9, momentum=0.0
    )
    params = {"x": jnp.asarray(theta, jnp.float32)}
    updates, _ = jax.jit(optimizer.update)(None, optimizer.init(params), params, batch=batch)
    rows, right = a.reshape(6, 10), y.reshape(6)
    expected = theta - np.linalg.pinv(rows) @ (rows @ theta - right)
    np.testing.assert_allclose(params["x"] + updates["x"], expected, rtol=1e-3, atol=1e-4)


def test_momentum_keeps_of_the_last_direction_what_the_batch_does_not_see():
    """With μ = 1 and rate 1, components of φ that no row sees stay; the others are replaced."""
    optimizer = train.gauss_newton(lambda x, a, y: a @ x - y, 1.0, damping=1e-9, momentum=1.0)
    x, state = jnp.zeros(3), optimizer.init(jnp.zeros(3))
    sees = [jnp.array([[[1.0, 0, 0]]]), jnp.array([[[0, 1.0, 0]]])]
    first, state = jax.jit(optimizer.update)(None, state, x, batch=(sees[0], jnp.array([[2.0]])))
    np.testing.assert_allclose(first, [2.0, 0.0, 0.0], atol=1e-5)
    second, _ = jax.jit(optimizer.update)(
        None, state, x + first, batch=(sees[1], jnp.array([[5.0]]))
    )
    np.testing.assert_allclose(second, [2.0, 5.0, 0.0], atol=1e-5)


def test_a_batch_that_is_singular_to_the_precision_is_left_out():
    """The same state twice and no damping to speak of: J Jᵀ has no Cholesky factor in float32."""
    optimizer = train.gauss_newton(lambda w, x: x * w - 1, 1.0, damping=1e-12, momentum=0.5)
    params, update = jnp.zeros(1), jax.jit(optimizer.update)
    twice, once = (jnp.ones((2, 1)),), (jnp.ones((1, 1)),)
    change, state = update(params, optimizer.init(params), params, batch=twice)
    assert float(change[0]) == 0
    change, state = update(params, state, params, batch=once)
    assert float(change[0]) == pytest.approx(1)
    change, _ = update(params, state, params, batch=twice)
    assert float(change[0]) == pytest.approx(0.5)  # momentum alone


def test_the_residual_is_as_long_as_the_error_and_holds_its_denominator():
    q, q_dot = SYSTEM.sample(jax.random.key(0), 1)
    model = models.PlainNetwork(1, SYSTEM.angles, width=4)
    params, a = model.init(jax.random.key(1)), jnp.array([30.0])
    residual = partial(train.relative_residual(model, 5.0), params, q[0], q_dot[0])
    found = jax.jit(model.acceleration)(params, q[0], q_dot[0])
    np.testing.assert_allclose(
        jnp.linalg.norm(jax.jit(residual)(a)), train.relative_error(found, a, 5.0), rtol=1e-5
    )

    @jax.jit
    @jax.grad
    def slope(bias):
        moved = [*params[:-1], {**params[-1], "bias": bias}]
        return train.relative_residual(model, 5.0)(moved, q[0], q_dot[0], a)[0]

    size = np.sqrt(25 + 900 + float(found[0]) ** 2)
    np.testing.assert_allclose(slope(params[-1]["bias"]), [1 / size], rtol=1e-5)


def test_gauss_newton_polishes_a_trained_network():
    batches, settings = BATCHES, {"key": jax.random.key(1), "progress": False}
    loss = train.acceleration_loss(NETWORK, scale=10.0)
    first = train.fit(loss, NETWORK.init(jax.random.key(0)), batches, steps=200, **settings)
    optimizer = train.gauss_newton(
        train.relative_residual(NETWORK, 10.0), optax.linear_schedule(0.5, 0.0, 50)
    )
    settings |= {"steps": 50, "batch_size": 32, "optimizer": optimizer}
    last = train.fit(loss, first.params, batches, **settings)
    assert np.median(last.losses[-10:]) < np.median(first.losses[-50:]) / 3


def test_a_negative_blur_is_refused():
    with pytest.raises(ValueError, match="noise >= 0"):
        train.visited(SYSTEM, jax.random.key(0), noise=-0.1)


def test_bad_settings_of_gauss_newton():
    with pytest.raises(TypeError, match="residual"):
        train.gauss_newton(None, 0.1)
    with pytest.raises(ValueError, match="damping > 0"):
        train.gauss_newton(lambda p: p, 0.1, damping=0.0)
    with pytest.raises(ValueError, match=r"0 <= momentum <= 1, got 1\.1"):
        train.gauss_newton(lambda p: p, 0.1, momentum=1.1)
    with pytest.raises(ValueError, match=r"rate > 0, got -0\.1"):
        train.gauss_newton(lambda p: p, -0.1)
    with pytest.raises(ValueError, match="scale > 0"):
        train.relative_residual(models.LNN(1), 0.0)
