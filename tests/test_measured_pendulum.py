"""The experiment on a real pendulum: what is trained on, how models are judged, the formula."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import experiments, learning, models, train

pytestmark = pytest.mark.usefixtures("optimised")


@pytest.fixture(scope="module")
def recorded(measured):
    return measured("double pendulum").motions


@pytest.fixture(scope="module")
def formula(recorded):
    """The physicists' formula, fitted to accelerations of four pieces."""
    frames = experiments.measured_frames(experiments.training_pieces(4))
    samples = frames.samples(frames=(4, 6, 10, 16), noise=experiments.NOISE, degree=2)
    model = experiments.measured_models()["physicists, more"]
    loss = train.acceleration_loss(model, scale=10.0)
    state = samples.q, samples.q_dot, samples.q_ddot
    return model, train.minimise(loss, model.init(jax.random.key(0)), state)


def test_no_piece_is_learned_from_that_models_are_judged_by():
    """Held-out pieces lie in the range of those learned from; fewer are spread over all of it."""
    every = experiments.training_pieces()
    kept = {*experiments.HELD_OUT, *experiments.VALIDATION}
    assert len(every) == 22 and not kept & set(every) and kept | set(every) == set(range(30))
    assert min(every) < min(experiments.HELD_OUT) and max(experiments.HELD_OUT) < max(every)
    assert experiments.training_pieces(1) == (0,)
    for count in range(2, 23):
        some = experiments.training_pieces(count)
        assert len(set(some)) == count and set(some) <= set(every)
        assert (some[0], some[-1]) == (0, 25)


def test_frames_are_every_tenth_of_the_recorded_ones(recorded):
    found = experiments.measured_frames((0, 25))
    assert found.q_dot is None and found.q.dtype == jnp.float32
    np.testing.assert_allclose(np.diff(found.t[found.trajectory == 25]), 0.01, atol=1e-9)
    np.testing.assert_array_equal(
        found.q[found.trajectory == 25], recorded.q[recorded.trajectory == 25][::10]
    )
    slow = experiments.measured_frames((25,), rate=30)
    assert np.diff(slow.t).mean() == pytest.approx(1 / 30, rel=0.02)


def test_noise_is_added_as_said_and_by_the_seed(recorded):
    clean = np.asarray(experiments.measured_frames((25,)).q)
    noisy = [
        np.asarray(experiments.measured_frames((25,), noise=0.01, seed=seed).q) for seed in (0, 1)
    ]
    assert (noisy[0] - clean).std() == pytest.approx(0.01, rel=0.1)
    assert (noisy[0] != noisy[1]).mean() > 0.99


class Frozen:
    """A model that stays as it starts."""

    def rollout(self, params, q, q_dot, *, steps, **_):
        return tuple(jnp.tile(x, (steps + 1, 1)) for x in (q, q_dot))


def test_a_smoothed_start_is_nearer_to_the_encoder_than_a_recorded_one(recorded):
    """Against a parabola through 21 frames about the start, or from it on, in the median piece."""
    protocol, misses = experiments.MeasuredProtocol(), {"smoothed": [], "recorded": []}
    for piece in experiments.HELD_OUT:
        q = np.asarray(recorded.q, float)[recorded.trajectory == piece]
        for start, rows in {"smoothed": slice(20, 41), "recorded": slice(0, 21)}.items():
            t, found, v, measured = protocol.follow(Frozen(), None, piece, start)
            np.testing.assert_allclose(t, 0.01 * np.arange(len(t)), atol=1e-9)
            assert len(t) == (264 if start == "smoothed" else 267)
            assert np.abs(found[0] - measured[0]).max() < 1e-4
            times = 0.001 * np.arange(21) - (0.01 if start == "smoothed" else 0)
            misses[start].append(np.abs(v[0] - np.polyfit(times, q[rows], 3)[-2]).max())
    assert np.median(misses["smoothed"]) < 0.5 * np.median(misses["recorded"])


def test_the_formula_follows_pieces_that_it_has_not_seen(formula, recorded):
    """From four pieces, ten seconds of motion: a hundredth of a radian, where the arms move by
    more than one; what rubs only takes, and Runge–Kutta's part is nothing.
    """
    model, fit = formula
    protocol = experiments.MeasuredProtocol()
    found = protocol.figures(model, fit.params)
    assert set(found) == {
        f"{group}, {start} starts"
        for group in ("held out", "validation")
        for start in ("smoothed", "recorded")
    }
    held_out = found["held out, smoothed starts"]
    assert held_out["rmse_end"] < 0.01 and held_out["rmse_end_worst"] < 0.03
    assert held_out["rmse_0.5 s"] < held_out["rmse_1 s"] < held_out["rmse_end"]
    assert held_out["rmse_0.5 s"] < found["held out, recorded starts"]["rmse_0.5 s"]
    assert all(found[f"{group}, smoothed starts"]["power_max"] <= 0
               for group in ("held out", "validation"))  # fmt: skip
    t, q, _, measured = protocol.follow(model, fit.params, 15)
    half = np.sqrt(np.mean((q - measured)[t < 0.505] ** 2))
    own = experiments.MeasuredProtocol((15,)).figures(model, fit.params)
    assert own["pieces, smoothed starts"]["rmse_0.5 s"] == pytest.approx(half, rel=1e-6)
    assert protocol.floor(model, fit.params)["rmse_end_worst"] < 1e-5


def test_without_friction_energy_stays_and_the_model_strays(formula, recorded):
    model, fit = formula
    bare = models.RigidArms(zeros=True)
    protocol = experiments.MeasuredProtocol((15,))
    rubbing, free = (
        protocol.figures(*x)["pieces, smoothed starts"]["rmse_end"]
        for x in ((model, fit.params), (bare, fit.params["network"]))
    )
    assert free > 3 * rubbing and free > 0.01


def test_a_model_that_runs_away_is_infinitely_wrong(formula, recorded):
    model, fit = formula
    wild = jax.tree.map(lambda x: jnp.full_like(x, jnp.nan), fit.params)
    found = experiments.MeasuredProtocol((15,)).figures(model, wild)["pieces, smoothed starts"]
    assert found["rmse_end"] == found["rmse_0.5 s_worst"] == np.inf


def test_a_network_learns_by_the_rounds_of_positions(recorded, monkeypatch):
    """With the noise that the recipe has, and the seed for a key."""
    asked = {}
    monkeypatch.setattr(learning, "fit_positions", lambda *x, **known: asked.update(known) or x)
    frames = experiments.measured_frames((20,))
    model = experiments.measured_models(width=4)["delan"]
    found = experiments.MeasuredRecipe(frames, 0.01).fit(model, seed=3, steps=60)
    assert found == (model, frames) and (asked["noise"], asked["steps"]) == (0.01, 60)
    assert jnp.array_equal(
        jax.random.key_data(asked["key"]), jax.random.key_data(jax.random.key(3))
    )


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: experiments.training_pieces(23), "at most 22 pieces to train on, got 23"),
        (lambda: experiments.training_pieces(0), "count >= 1"),
        (lambda: experiments.measured_frames((30,)), "numbers of different pieces, 0 to 29"),
        (lambda: experiments.measured_frames((3, 3)), "numbers of different pieces, 0 to 29"),
        (lambda: experiments.measured_frames((3,), rate=0), "rate > 0"),
        (lambda: experiments.measured_frames((3,), rate=2000), "1000 frames a second, as recorded"),
        (lambda: experiments.measured_frames((3,), rate=400), "every n-th of them.*got 400"),
        (lambda: experiments.measured_frames((3,), noise=-1.0), "noise >= 0"),
        (
            lambda: experiments.MeasuredProtocol().follow(None, None, 3, "raw"),
            "unknown start 'raw'",
        ),
        (lambda: experiments.measured_pendulum(pieces=23), "--pieces: expected at most 22"),
    ],
)
def test_what_does_not_fit_is_refused(ask, message, recorded):
    with pytest.raises(ValueError, match=message):
        ask()


def test_the_formula_is_fitted_to_accelerations_and_then_to_seconds_of_motion(
    recorded, monkeypatch
):
    """Two fits, the second from the first one's end; a second begins each half second."""
    batches = []

    def minimise(loss, params, batch, steps):
        batches.append(batch)
        return train.Fit([*params, len(batches)], np.array([1.0, 0.5]), 1.0)

    monkeypatch.setattr(train, "minimise", minimise)
    frames = experiments.measured_frames((20, 22), rate=50)
    model = experiments.measured_models()["physicists"]
    monkeypatch.setattr(models.RigidArms, "init", lambda self, key: [])
    fit = experiments.MeasuredRecipe(frames).fit(model, seed=0, steps=9)
    assert fit.params == [1, 2] and len(fit.losses) == 4 and fit.seconds == 2.0
    states, windows = batches
    assert len(states) == 3 and states[0].shape[1] == 2 and len(states[0]) > 200
    np.testing.assert_allclose(windows.t[:, -1], 1.0, atol=1e-5)
    begins = np.asarray(windows.begins).reshape(2, -1)
    np.testing.assert_allclose(np.diff(begins), 0.5, atol=1e-4)
    assert begins.shape == (2, 4)
