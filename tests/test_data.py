"""Measured arrays are checked at the door, drawn from by rows and split by whole trajectories."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import data, integrate, models, train
from lnn_tutorial.train.looks import like

RNG = np.random.default_rng(0)
Q, Q_DOT, Q_DDOT, TORQUE = RNG.normal(size=(4, 100, 2))
CONTEXT = np.repeat(RNG.normal(size=(20, 1)), 5, axis=0)
RUNS = np.repeat(np.arange(20), 5)
samples = partial(data.arrays, Q, Q_DOT, Q_DDOT)


def test_a_batch_is_the_tuple_that_a_loss_takes():
    """The context fourth and the torque fifth; without a context, None stands in its place."""
    three = (Q, Q_DOT, Q_DDOT)
    for found, expected in (
        (samples(), three),
        (samples(CONTEXT), (*three, CONTEXT)),
        (samples(CONTEXT, TORQUE), (*three, CONTEXT, TORQUE)),
        (samples(torque=TORQUE), (*three, None, TORQUE)),
    ):
        batch = found.batch()
        assert len(found) == 100
        assert [x is None for x in batch] == [x is None for x in expected]
        for x, y in zip(jax.tree.leaves(batch), jax.tree.leaves(expected), strict=True):
            np.testing.assert_array_equal(x, np.float32(y))


def test_samples_say_in_a_line_what_they_hold():
    shapes = "q [100, 2], q_dot [100, 2], q_ddot [100, 2], torque [100, 2], trajectory [100]"
    assert repr(samples(torque=TORQUE, trajectory=RUNS)) == f"Samples({shapes})"


@pytest.mark.parametrize("kind", [np.asarray, jnp.asarray, np.ndarray.tolist, np.float16])
def test_arrays_of_numpy_and_jax_and_lists_are_taken(kind):
    found = data.arrays(*map(kind, (Q, Q_DOT, Q_DDOT)))
    assert {x.dtype for x in found.batch()} == {jnp.dtype("float32")}
    np.testing.assert_allclose(found.q, Q, rtol=1e-3)


def test_whole_numbers_become_floating_point():
    found = data.arrays([[1], [2]], [[0], [0]], [[-1], [-2]])
    assert found.q.dtype == jnp.float32
    np.testing.assert_array_equal(found.q_ddot, [[-1.0], [-2.0]])


def test_double_precision_is_kept_where_jax_allows_it_and_one_for_all():
    with integrate.double_precision():
        found = data.arrays(Q, np.float32(Q_DOT), Q_DDOT)
        assert {x.dtype for x in found.batch()} == {jnp.dtype("float64")}
        np.testing.assert_array_equal(found.q, Q)
        single = data.arrays(*(np.float32(x) for x in (Q, Q_DOT, Q_DDOT)))
        assert single.q.dtype == jnp.float32


def test_draws_are_rows_that_stay_together_and_the_key_decides():
    found, draw = samples(CONTEXT, TORQUE), jax.jit(samples(CONTEXT, TORQUE), static_argnums=1)
    batch = draw(jax.random.key(0), 300)
    rows = np.argmin(np.abs(np.asarray(batch[0])[:, :1] - np.float32(Q)[:, 0]), axis=1)
    for x, all_rows in zip(batch, found.batch(), strict=True):
        np.testing.assert_array_equal(x, all_rows[rows])
    # 300 draws with replacement from 100 rows: 1 − e⁻³ of them are met, 95 ± 2
    assert 87 <= len(set(rows)) <= 100
    np.testing.assert_array_equal(draw(jax.random.key(0), 300)[0], batch[0])
    assert not np.array_equal(draw(jax.random.key(1), 300)[0], batch[0])


def split(found, share=0.2, seed=0):
    return found.split(share, key=jax.random.key(seed))


@pytest.mark.parametrize(
    "labels", [RUNS, np.array([f"run {i}" for i in RUNS]), np.tile(np.arange(20), 5)]
)
def test_a_split_is_by_whole_trajectories(labels):
    training, held_out = split(samples(torque=TORQUE, trajectory=labels))
    assert (len(training), len(held_out)) == (80, 20)
    assert len(set(held_out.trajectory)) == 4
    assert not set(training.trajectory) & set(held_out.trajectory)
    for part in (training, held_out):
        rows = np.argmin(np.abs(np.asarray(part.q)[:, :1] - np.float32(Q)[:, 0]), axis=1)
        assert (np.diff(rows) > 0).all()  # in the order that they came in
        np.testing.assert_array_equal(part.torque, np.float32(TORQUE)[rows])
        np.testing.assert_array_equal(part.trajectory, labels[rows])


def test_the_key_decides_on_the_split():
    found = samples(trajectory=RUNS)
    held_out = [split(found, seed=seed)[1].trajectory for seed in (0, 0, 1)]
    np.testing.assert_array_equal(held_out[0], held_out[1])
    assert set(held_out[0]) != set(held_out[2])


@pytest.mark.parametrize(("share", "rows"), [(1e-6, 5), (0.26, 25), (0.999, 95)])
def test_neither_part_of_a_split_is_empty(share, rows):
    assert len(split(samples(trajectory=RUNS), share)[1]) == rows


def test_a_split_by_row_must_be_asked_for_as_trajectories_of_one_row():
    with pytest.raises(ValueError, match=r"for independent rows, say trajectory=range\(100\)"):
        split(samples())
    training, held_out = split(samples(trajectory=range(100)))
    assert (len(training), len(held_out)) == (80, 20)


def test_bad_splits_are_refused():
    with pytest.raises(ValueError, match="two trajectories or more, got 1"):
        split(samples(trajectory=[7] * 100))
    for share in (0.0, 1.0, -0.2):
        with pytest.raises(ValueError, match="share 0 < held_out < 1"):
            split(samples(trajectory=RUNS), share)


LONG = Q_DDOT.copy()
LONG[[3, 17, 20, 40, 41, 90, 99], 1] = np.inf


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"q": Q[:, 0]}, ValueError, r"q of shape \[n, d\], got \(100,\);.* write q\[:, None\]"),
        ({"q_ddot": Q[:, :1]}, ValueError, r"q and q_ddot of one .*\(100, 2\) and \(100, 1\)"),
        ({"q_dot": Q[:99]}, ValueError, r"q and q_dot of one shape \[n, d\], got .* \(99, 2\)"),
        ({"torque": Q[:, :1]}, ValueError, r"q and torque of one .*\(100, 2\) and \(100, 1\)"),
        ({"q": Q.reshape(20, 5, 2)}, ValueError, r"got \(20, 5, 2\); make the frames of all traj"),
        ({"q": Q[:0]}, ValueError, r"q of shape \[n, d\], got \(0, 2\)$"),
        ({"context": CONTEXT[:, 0]}, ValueError, r"context of shape \[n, c\].*context\[:, None\]"),
        ({"context": CONTEXT[:9]}, ValueError, r"as many rows, got \(100, 2\) and \(9, 1\)"),
        ({"q": [["a", "b"]] * 100}, TypeError, "q to be an array of real numbers, got <U1"),
        ({"q": Q + 1j}, TypeError, "q to be an array of real numbers, got complex128"),
        ({"q": [[1.0, 2.0], [3.0]]}, TypeError, "q to be an array, got rows of several lengths"),
        ({"q": np.ma.masked_less(Q, 0)}, TypeError, "q without masked entries"),
        ({"q": None}, TypeError, "q to be an array of real numbers, got object"),
        ({"q_ddot": LONG}, ValueError, "q_ddot in rows 3, 17, 20, 40, 41 and 2 more"),
        (
            {"q_dot": np.where(RUNS[:, None] == 1, np.nan, Q_DOT), "q_ddot": LONG},
            ValueError,
            "not so q_dot in rows 5, 6, 7, 8, 9, q_ddot in rows 3, 17,",
        ),
        ({"q": np.where(Q[8] == Q, 1e39, Q)}, ValueError, "finite in float32, not so q in row 8"),
        ({"trajectory": RUNS[:9]}, ValueError, r"trajectory of shape \[n\], \(100,\), got \(9,\)"),
        ({"trajectory": RUNS * 0.5}, TypeError, "whole numbers or strings, got float64"),
    ],
)
def test_what_does_not_fit_is_named(change, error, message):
    with pytest.raises(error, match=f"expected .*{message}"):
        data.arrays(**{"q": Q, "q_dot": Q_DOT, "q_ddot": Q_DDOT, **change})


def test_time_as_a_context_is_refused():
    """It leaves ∂p/∂t out of the equation of motion."""
    time = np.tile(np.arange(5.0), 20)[:, None]
    message = (
        r"along trajectory 0 in row 1: from \[0\.\] to \[1\.\]. .*"
        r"∂p/∂t .* comes as torque=…, and explicit time is an argument t"
    )
    with pytest.raises(ValueError, match=message):
        samples(time, trajectory=RUNS)
    assert samples(CONTEXT, trajectory=RUNS).context.shape == (100, 1)


def test_a_model_that_is_driven_takes_the_batch_as_it_is():
    model = models.LNN(dim=2, width=4, force=models.Torque())
    params, found = jax.eval_shape(model.init, jax.random.key(0)), samples(torque=TORQUE)
    loss = train.acceleration_loss(model)
    assert jax.eval_shape(loss, params, found.batch()).shape == ()
    np.testing.assert_array_equal(like(found.batch(), found)[4], np.float32(TORQUE))
    with pytest.raises(ValueError, match=r"\(2,\), None, \(2,\)\), got"):
        like(found.batch(), samples())


def test_training_on_few_states_shows_by_those_held_out():
    """Labels that are nothing but noise can be learned by heart, and then held-out ones cannot."""
    noise = data.arrays(Q, Q_DOT, Q_DDOT, trajectory=range(100))
    training, held_out = split(noise, 0.5)
    model = models.PlainNetwork(dim=2, width=64, depth=1)
    loss = train.acceleration_loss(model)
    settings = {"key": jax.random.key(1), "steps": 600, "chunk": 100, "progress": False}
    settings |= {"held_out": held_out, "optimizer": train.muon(0.05, 600)}
    fit = train.fit(loss, model.init(jax.random.key(0)), training, **settings)
    assert np.median(fit.losses[-50:]) < 0.5 * fit.losses[0]
    assert fit.held_out[-1, 1] > 1.3 * np.median(fit.losses[-50:])
    assert fit.held_out[-1, 1] > 1.02 * fit.held_out[:, 1].min()
