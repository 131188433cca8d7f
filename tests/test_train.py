"""Training learns, is reproducible, survives being killed, and says where it broke."""

import os
import signal
import subprocess
import sys
import time
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


def assert_same_fit(a, b):
    """The same bits, but for the seconds that they took."""
    assert_same_bits((a.params, a.losses), (b.params, b.losses))


@pytest.fixture(scope="module")
def whole():
    """A run from beginning to end."""
    return run()


def test_labels_are_the_true_accelerations():
    q, q_dot, q_ddot = train.labelled(SYSTEM)(jax.random.key(0), 50)
    assert q.shape == q_dot.shape == q_ddot.shape == (50, 1)
    np.testing.assert_allclose(q_ddot, -9.8 * np.sin(q), rtol=1e-5)


def test_labels_come_with_the_context_that_they_were_made_in():
    particle = systems.PaperParticle()
    q, q_dot, q_ddot, g = train.labelled(particle)(jax.random.key(0), 50)
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


def test_the_key_decides_everything(whole):
    again, other = run(), run(key=jax.random.key(2))
    assert_same_fit(whole, again)
    assert not np.array_equal(whole.losses, other.losses)


def test_the_losses_are_those_before_each_update(whole):
    key = jax.random.fold_in(SETTINGS["key"], 0)
    first = LOSS(begin(), train.labelled(SYSTEM)(key, SETTINGS["batch_size"]))
    assert whole.losses[0] == pytest.approx(float(first), rel=1e-5)


def test_an_unfinished_run_goes_on_to_the_same_bits(whole, tmp_path):
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
    assert_same_fit(whole, run(checkpoint=tmp_path))
    assert_same_fit(whole, run(checkpoint=tmp_path))  # already done: nothing is trained again


CONFIGURATION = {"model": "a black box", "loss": "l2", "seconds": 40.0, "sizes": (16, 16)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": "l1"}, "its loss is 'l2', this run's is 'l1'"),
        ({"seconds": 20.0}, "its seconds is 40.0, this run's is 20.0"),
        ({"sizes": (16, 8)}, r"its sizes is \[16, 16\], this run's is \[16, 8\]"),
        ({"noise": 0.5}, "its noise is None, this run's is 0.5"),
        ({"model": None}, "its model is 'a black box', this run's is None"),
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
    with pytest.raises(store.StoreError, match="its model is 'a black box', this run's is None"):
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
        ({"model": MODEL}, "configuration that JSON can hold: .*BlackBox is not"),
        ({"noise": float("nan")}, "configuration that JSON can hold: Out of range"),
        ({(1, 2): "x"}, "configuration that JSON can hold: keys must be"),
        (["l1"], "configuration to be a dict or None, got list"),
    ],
)
def test_a_configuration_that_json_cannot_hold_is_refused_at_the_door(configuration, message):
    with pytest.raises(TypeError, match=message):
        run(configuration=configuration)


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
        with pytest.raises(store.StoreError, match=f"another run: its {next(iter(change))} is "):
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
    monkeypatch.setattr(train, "time", SimpleNamespace(perf_counter=lambda: next(now)))
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
    with pytest.raises(train.DivergedError, match="or use a bounded loss") as caught:
        train.fit(loss, start, train.labelled(SYSTEM), **settings)
    assert 20 <= caught.value.step < 400
    assert all(bool(jnp.isfinite(x).all()) for x in jax.tree.leaves(caught.value.params))


# --- States that a moving system visits --------------------------------------------------------

DOUBLE = systems.DoublePendulum()
SHORT = {"starts": 3, "seconds": 2.0, "substeps": 40, "noise": 0.0}


def test_visited_states_lie_on_motions_of_the_system():
    """Without blur, the energy of each is that of one of the starts, up to RK4's error."""
    q, v = DOUBLE.sample(jax.random.key(0), 3)
    starts = energy_of_double_pendulum(q, v / 5)
    q, v, _ = train.visited(DOUBLE, jax.random.key(0), **SHORT)(jax.random.key(1), 50)
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
        return train.visited(SYSTEM, jax.random.key(motions), **SHORT)(jax.random.key(batch), 20)

    assert_same_bits(draw(0, 1), draw(0, 1))
    for other in (draw(0, 2), draw(2, 1)):
        assert not np.array_equal(draw(0, 1)[0], other[0])


def test_visited_states_are_blurred_by_the_noise_asked_for():
    """The same picks with and without: the difference is normal in every coordinate."""
    bare, blurred = (
        np.hstack(train.visited(SYSTEM, jax.random.key(0), **change)(jax.random.key(1), 4000)[:2])
        for change in (SHORT, {**SHORT, "noise": 0.3})
    )
    noise = (blurred - bare) / 0.3
    assert noise.shape == (4000, 2)
    # 4000 draws: the mean is known to 0.016, the standard deviation to 0.011, a share to 0.008.
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.06)
    np.testing.assert_allclose(noise.std(axis=0), 1, atol=0.04)
    np.testing.assert_allclose((np.abs(noise) < 1).mean(axis=0), 0.683, atol=0.03)
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.06


def test_visited_states_have_their_true_accelerations():
    q, _, q_ddot = train.visited(SYSTEM, jax.random.key(0), **{**SHORT, "noise": 0.5})(
        jax.random.key(1), 50
    )
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


# --- The bar, and what is refused --------------------------------------------------------------

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
        ({"patience": 0}, ValueError, "patience > 0"),
        ({"patience": float("nan")}, ValueError, "patience to be finite"),
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
    params = jnp.zeros(1)
    twice, once = (jnp.ones((2, 1)),), (jnp.ones((1, 1)),)
    change, state = optimizer.update(params, optimizer.init(params), params, batch=twice)
    assert float(change[0]) == 0
    change, state = optimizer.update(params, state, params, batch=once)
    assert float(change[0]) == pytest.approx(1)
    change, _ = optimizer.update(params, state, params, batch=twice)
    assert float(change[0]) == pytest.approx(0.5)  # momentum alone


def test_the_residual_is_as_long_as_the_error_and_holds_its_denominator():
    q, q_dot = SYSTEM.sample(jax.random.key(0), 1)
    model = models.BlackBox(1, SYSTEM.angles, width=4)
    params, a = model.init(jax.random.key(1)), jnp.array([30.0])
    residual = partial(train.relative_residual(model, 5.0), params, q[0], q_dot[0])
    found = model.acceleration(params, q[0], q_dot[0])
    np.testing.assert_allclose(
        jnp.linalg.norm(residual(a)), train.relative_error(found, a, 5.0), rtol=1e-5
    )

    @jax.jit
    @jax.grad
    def slope(bias):
        moved = [*params[:-1], {**params[-1], "bias": bias}]
        return train.relative_residual(model, 5.0)(moved, q[0], q_dot[0], a)[0]

    size = np.sqrt(25 + 900 + float(found[0]) ** 2)
    np.testing.assert_allclose(slope(params[-1]["bias"]), [1 / size], rtol=1e-5)


def test_gauss_newton_polishes_a_trained_network():
    batches, settings = train.labelled(SYSTEM), {"key": jax.random.key(1), "progress": False}
    first = train.fit(LOSS, begin(), batches, steps=500, **settings)
    optimizer = train.gauss_newton(
        train.relative_residual(MODEL, 10.0), optax.linear_schedule(0.5, 0.0, 100)
    )
    settings |= {"steps": 100, "batch_size": 64, "optimizer": optimizer, "chunk": 100}
    last = train.fit(LOSS, first.params, batches, **settings)
    assert np.median(last.losses[-10:]) < np.median(first.losses[-50:]) / 3


def test_a_negative_blur_is_refused():
    with pytest.raises(ValueError, match="noise >= 0"):
        train.visited(SYSTEM, jax.random.key(0), noise=-0.1)


def test_bad_settings_of_gauss_newton():
    with pytest.raises(TypeError, match="residual"):
        train.gauss_newton(None, 0.1)
    with pytest.raises(ValueError, match="damping > 0"):
        train.gauss_newton(lambda p: p, 0.1, damping=0.0)
    with pytest.raises(ValueError, match="scale > 0"):
        train.relative_residual(models.LNN(1), 0.0)
