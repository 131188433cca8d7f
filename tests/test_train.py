"""Training learns, is reproducible, survives being killed, and says where it broke."""

import os
import signal
import subprocess
import sys
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import tqdm.notebook
from hypothesis import given
from hypothesis import strategies as st

from lnn_tutorial import evaluate, models, store, systems, train

pytestmark = pytest.mark.usefixtures("optimised")

SYSTEM = systems.Pendulum()
LNN = models.LNN(dim=1, angles=(True,), velocity_scale=5.0, width=16)
# What holds of the loop holds for any model, and this one compiles in no time.
MODEL = models.BlackBox(
    dim=1, angles=(True,), velocity_scale=5.0, width=16, acceleration_scale=10.0
)
LOSS = train.acceleration_loss(MODEL, scale=10.0)
SETTINGS = {
    "key": jax.random.key(1),
    "steps": 60,
    "batch_size": 16,
    "chunk": 20,
    "optimizer": optax.adam(1e-3),
    "progress": False,
}


def begin():
    return MODEL.init(jax.random.key(0))


def run(**change):
    return train.fit(LOSS, begin(), train.labelled(SYSTEM), **{**SETTINGS, **change})


def assert_same_bits(a, b):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert np.asarray(x).tobytes() == np.asarray(y).tobytes()


def test_labels_are_the_true_accelerations():
    q, q_dot, q_ddot = train.labelled(SYSTEM)(jax.random.key(0), 50)
    assert q.shape == q_dot.shape == q_ddot.shape == (50, 1)
    np.testing.assert_allclose(q_ddot, -9.8 * np.sin(q), rtol=1e-5)


vectors = st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=2).map(np.float32)


@given(vectors, vectors, st.floats(0.1, 100))
def test_the_relative_error_is_bounded_symmetric_and_zero_only_at_the_truth(a, b, scale):
    error = float(train.relative_error(a, b, scale))
    assert 0 <= error <= 2**0.5 * (1 + 1e-5)
    assert error == pytest.approx(float(train.relative_error(b, a, scale)), rel=1e-4, abs=1e-7)
    assert float(train.relative_error(a, a, scale)) < 1e-15


def test_the_relative_error_stays_differentiable_where_it_is_zero():
    a = jnp.array([1.0, -2.0])
    assert bool(jnp.isfinite(jax.grad(train.relative_error)(a, a, 1.0)).all())


def test_the_other_losses_are_their_formulas():
    a, b = jnp.array([1.0, -2.0]), jnp.array([0.5, 1.0])
    assert float(train.absolute_error(a, b)) == pytest.approx(3.5)
    assert float(train.squared_error(a, b)) == pytest.approx(9.25)


def test_an_lnn_learns_the_pendulum_in_seconds():
    loss, start = train.acceleration_loss(LNN, scale=10.0), LNN.init(jax.random.key(0))
    fit = train.fit(
        loss, start, train.labelled(SYSTEM), key=jax.random.key(1), steps=1500, progress=False
    )
    q, q_dot, q_ddot = train.labelled(SYSTEM)(jax.random.key(9), 1000)
    error = evaluate.acceleration_error(partial(LNN.acceleration, fit.params), q, q_dot, q_ddot)
    assert error["acceleration_relative_l2"] < 0.02
    assert np.median(fit.losses[-100:]) < 0.1 * np.median(fit.losses[:20])


def test_the_key_decides_everything():
    first, again, other = run(), run(), run(key=jax.random.key(2))
    assert_same_bits(first, again)
    assert not np.array_equal(first.losses, other.losses)


def test_the_losses_are_those_before_each_update():
    key = jax.random.fold_in(SETTINGS["key"], 0)
    first = LOSS(begin(), train.labelled(SYSTEM)(key, SETTINGS["batch_size"]))
    assert run().losses[0] == pytest.approx(float(first), rel=1e-5)


def test_an_unfinished_run_goes_on_to_the_same_bits(tmp_path):
    whole = run()

    class Stop(Exception):
        pass

    def stop_at_40(key, n):
        jax.debug.callback(count)
        return train.labelled(SYSTEM)(key, n)

    seen = []

    def count():
        seen.append(1)
        if len(seen) > 45:
            raise Stop

    with pytest.raises(Exception, match=r"Stop|callback"):
        train.fit(LOSS, begin(), stop_at_40, **SETTINGS, checkpoint=tmp_path)
    assert store.read_header(tmp_path / train.CHECKPOINT)["done"] == 40
    assert_same_bits(whole, run(checkpoint=tmp_path))
    assert_same_bits(whole, run(checkpoint=tmp_path))  # already done: nothing is trained again


TRAINING = """
import jax, optax, sys
from lnn_tutorial import models, store, systems, train
system = systems.Pendulum()
model = models.LNN(dim=1, angles=(True,), velocity_scale=5.0, width=16)
fit = train.fit(
    train.acceleration_loss(model, scale=10.0), model.init(jax.random.key(0)),
    train.labelled(system), key=jax.random.key(1), steps=2000, batch_size=16, chunk=50,
    checkpoint=sys.argv[1], optimizer=optax.adam(1e-3), progress=False,
)
store.save(sys.argv[2], (fit.params, fit.losses))
"""


def test_a_run_killed_with_no_warning_ends_with_the_same_bits(tmp_path):
    def start(checkpoint, out):
        command = [sys.executable, "-c", TRAINING, str(tmp_path / checkpoint), str(tmp_path / out)]
        return subprocess.Popen(command, env={**os.environ, "JAX_PLATFORMS": "cpu"})

    assert start("whole", "whole.npz").wait(120) == 0
    process = start("killed", "killed.npz")
    while process.poll() is None and _done(tmp_path) == 0:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 0 < _done(tmp_path) < 2000, "the run was over before it could be killed: make it longer"
    assert start("killed", "killed.npz").wait(120) == 0
    like = (LNN.init(jax.random.key(0)), np.zeros(2000, np.float32))
    whole, killed = (store.load(tmp_path / f"{n}.npz", like)[0] for n in ("whole", "killed"))
    assert_same_bits(whole, killed)


def _done(folder):
    path = folder / "killed" / train.CHECKPOINT
    return store.read_header(path)["done"] if path.exists() else 0


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    run(checkpoint=tmp_path)
    for change in ({"steps": 61}, {"batch_size": 17}, {"key": jax.random.key(5)}, {"chunk": 30}):
        with pytest.raises(store.StoreError, match=r"another (run|structure)|expected float32"):
            run(checkpoint=tmp_path, **change)
    with pytest.raises(store.StoreError, match="another structure"):
        run(checkpoint=tmp_path, optimizer=optax.sgd(0.1))


def test_a_damaged_checkpoint_is_named(tmp_path):
    run(checkpoint=tmp_path)
    path = tmp_path / train.CHECKPOINT
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(store.StoreError, match=r"checkpoint\.npz: damaged"):
        run(checkpoint=tmp_path)


@pytest.mark.parametrize("at", [0, 7, 20, 59])
def test_a_loss_that_is_not_finite_stops_training_at_its_step(at):
    def batches(key, n):
        q, q_dot, q_ddot = train.labelled(SYSTEM)(key, n)
        here = jax.random.key_data(key) == jax.random.key_data(
            jax.random.fold_in(SETTINGS["key"], at)
        )
        return q, q_dot, jnp.where(here.all(), jnp.nan, q_ddot)

    with pytest.raises(train.NonFiniteError, match=f"nan at step {at};") as caught:
        train.fit(LOSS, begin(), batches, **SETTINGS)
    assert caught.value.step == at
    assert len(caught.value.losses) == at
    assert all(bool(jnp.isfinite(x).all()) for x in jax.tree.leaves(caught.value.params))


def test_an_update_that_blows_up_is_caught_even_at_the_last_step():
    with pytest.raises(train.NonFiniteError, match="a parameter is not finite at step 0"):
        run(steps=1, optimizer=optax.sgd(float("inf")))


BARS = """
import jax
from lnn_tutorial import train
for progress in (True, False):
    train.fit(
        lambda x, _: x**2, 1.0, lambda key, n: None, key=jax.random.key(0), steps=30,
        label=f"progress {progress}", progress=progress,
    )
"""


@pytest.mark.parametrize("disabled", [False, True])
def test_a_bar_shows_the_loss_unless_it_is_switched_off(disabled):
    environment = {k: v for k, v in os.environ.items() if k != "TQDM_DISABLE"}
    environment |= {"TQDM_DISABLE": "1"} if disabled else {}
    command = [sys.executable, "-c", BARS]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert ("progress True: 100%" in run.stderr) != disabled
    assert ("loss=" in run.stderr) != disabled
    assert "progress False" not in run.stderr


def test_a_notebooks_bar_is_switched_off_too(monkeypatch, capsys):
    monkeypatch.setattr(train, "tqdm", tqdm.notebook.tqdm)
    monkeypatch.setenv("TQDM_DISABLE", "1")
    run(steps=2, progress=True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"steps": 0}, ValueError, "steps >= 1"),
        ({"steps": 2.5}, TypeError, "steps to be a whole number"),
        ({"batch_size": -1}, ValueError, "batch_size >= 1"),
        ({"chunk": 0}, ValueError, "chunk >= 1"),
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
