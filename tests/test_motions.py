"""Measured motions, their windows, and losses that go through a solver."""

import itertools
import sys
from functools import partial

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lnn_tutorial import data, integrate, models, systems, train

SYSTEM = systems.Pendulum()
T = np.array([0.0, 0.05, 0.08, 0.2, 0.26, 0.3, 0.42, 0.5])  # a clock that stutters


def motion(angle, speed, times=T):
    """A true motion at given times, by SciPy."""
    with integrate.double_precision():
        found = [
            integrate.reference(SYSTEM.acceleration, [angle], [speed], dt=float(t), steps=1)
            if t
            else (np.array([[angle]]), np.array([[speed]]))
            for t in times - times[0]
        ]
    return tuple(np.concatenate([x[i][-1:] for x in found]) for i in (0, 1))


STARTS = [(1.0, 0.5), (-2.0, 1.0), (0.3, -3.0), (2.5, 0.0)]
Q, Q_DOT = (np.stack(x) for x in zip(*(motion(*start) for start in STARTS), strict=True))
MEASURED = data.motions(T, Q, Q_DOT)
FACE = {"dim": 1, "angles": (True,), "velocity_scale": 3.0, "width": 6, "activation": "tanh"}
NETWORK, PLAIN = models.LNN(**FACE), models.PlainNetwork(**FACE, acceleration_scale=10.0)


class Truth:
    """The true pendulum with the face of a model; its parameter is g."""

    dim, angles, forces = 1, (True,), ()

    def slopes(self, g, q, q_dot, context=None):
        return q_dot, systems.Pendulum(gravity=g).acceleration(q, q_dot)

    def lagrangian(self, g, q, q_dot, context=None):
        return systems.Pendulum(gravity=g).lagrangian(q, q_dot)


# --- Motions and their windows -----------------------------------------------------------------


def test_windows_are_frames_in_a_row_of_one_motion():
    """Also of motions of several lengths, and however their rows are mixed."""
    q = np.array([0.0, 10, 1, 11, 2, 12, 3])[:, None]
    t = np.array([0.0, 5, 1, 6, 2, 7, 3])
    made = data.motions(t, q, trajectory=[0, 1, 0, 1, 0, 1, 0])
    windows = made.windows(2)
    assert len(windows) == 3 and repr(made).startswith("Motions(2 of them, t [7], q [7, 1]")
    found = windows.batch().q[..., 0].tolist()
    assert found == [[0, 1, 2], [1, 2, 3], [10, 11, 12]]
    fewer = made.windows(1, every=2).batch().q[..., 0].tolist()
    assert fewer == [[0, 1], [2, 3], [10, 11]]
    drawn = windows(jax.random.key(0), 50)
    assert set(map(tuple, drawn.q[..., 0].tolist())) == set(map(tuple, found))
    np.testing.assert_array_equal(drawn.t, np.tile([0.0, 1, 2], (50, 1)))
    np.testing.assert_array_equal(drawn.begins, drawn.q[:, 0, 0] % 10 + 5 * (drawn.q[:, 0, 0] > 9))
    assert [made.where(row) for row in (3, 4)] == [
        "frame 3 of trajectory 0",
        "frame 0 of trajectory 1",
    ]


def test_late_times_do_not_blur_the_steps():
    """A clock may have run for a month; float32 would round it to a quarter of a second."""
    late = data.motions(T + 2.6e6, Q, Q_DOT)
    found = late.windows(3).batch()
    assert found.t.dtype == jnp.float32
    np.testing.assert_allclose(found.t, MEASURED.windows(3).batch().t, atol=1e-9 * 2.6e6)
    np.testing.assert_allclose(found.t[0], T[:4], atol=1e-8)


def test_motions_are_split_whole():
    training, held_out = MEASURED.split(0.5, key=jax.random.key(0))
    assert len(training) == len(held_out) == 2 * len(T)
    assert not set(training.trajectory) & set(held_out.trajectory)
    assert training.windows(7).batch().q.shape == (2, 8, 1)


def test_what_comes_with_a_motion_stays_with_it():
    context, torque = np.arange(4.0)[:, None], np.stack([Q[..., 0] ** 2], -1)
    made = data.motions(T, Q, Q_DOT, context=context, torque=torque)
    found = made.windows(3)(jax.random.key(1), 30)
    np.testing.assert_allclose(found.torque, found.q**2, rtol=1e-6)
    np.testing.assert_array_equal(found.context[:, 0], found.row // len(T))


ROWS = {"t": T, "q": Q[0], "q_dot": Q_DOT[0]}
FALLS = np.where(np.arange(8) == 5, 0.1, T)


def changed(x, row, value):
    x = np.array(x)
    x[row] = value
    return x


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"t": FALLS},
            "times that rise .* frame 5 of trajectory 0 comes at 0.1 s after one at 0.2",
        ),
        ({"t": changed(T, 2, np.nan)}, "finite in float32, not so t in frame 2 of trajectory 0"),
        ({"q": changed(Q[0], 3, np.inf)}, "not so q in frame 3 of trajectory 0"),
        (
            {"q_dot": changed(Q_DOT[0], [1, 6], 1e39)},
            "q_dot in frame 1 of trajectory 0, and 1 more",
        ),
        ({"t": T[:5]}, r"a time for each row, t of shape \(8,\), got \(5,\)"),
        ({"q_dot": Q_DOT[0, :5]}, "q and q_dot of one shape"),
        ({"q": Q[0, :, 0]}, r"q\[:, None\]"),
        ({"t": T[:1], "q": Q[0, :1], "q_dot": None}, "two frames or more .* trajectory 0 has one"),
        ({"trajectory": ["a"] * 7 + ["b"]}, "trajectory b has one"),
        ({"trajectory": [0.5] * 8}, "whole numbers or strings"),
        ({"q": "north"}, "real numbers"),
        ({"context": T[:, None]}, "constant along a trajectory"),
        ({"q": Q, "q_dot": Q_DOT, "t": T[:7]}, r"t of shape \(8,\) or \(4, 8\)"),
        ({"q": Q, "q_dot": Q_DOT[:, :7]}, r"one shape \[m, f, d\]"),
        ({"q": Q, "q_dot": Q_DOT, "trajectory": [0] * 32}, "no labels beside q of shape"),
        ({"q": Q, "q_dot": Q_DOT, "context": np.ones((3, 1))}, r"context of shape \[m, c\], m = 4"),
    ],
)
def test_bad_motions_are_refused_by_trajectory_and_frame(given, message):
    with pytest.raises((TypeError, ValueError), match=message):
        data.motions(**{**ROWS, **given})


def test_windows_longer_than_a_motion_are_refused():
    made = data.motions(T, Q[0], trajectory=[0] * 5 + [7] * 3)
    with pytest.raises(ValueError, match=r"trajectory 7 has 3: leave them out, or .* at most 2"):
        made.windows(3)


# --- Accelerations that join the frames --------------------------------------------------------


def test_samples_reach_the_truth_where_it_is_known_and_a_cubic_where_nothing_is():
    """By the true law alone they are true; by none, a polynomial of third degree is exact."""
    with integrate.double_precision():
        made = data.motions(T, Q, Q_DOT)
        found = made.samples(SYSTEM.acceleration)
        truth = jax.vmap(SYSTEM.acceleration)(found.q, found.q_dot)
        np.testing.assert_allclose(found.q_ddot, truth, atol=1e-6)  # sweeps, not rounding
        assert len(found) == 5 * 4 * 7 and len(set(found.trajectory)) == 4
        cubic = [x[:, None] for x in (1 - T + T**3, -1 + 3 * T**2)]
        samples = data.motions(T, *cubic).samples()
        # q̈ = 6 t with q̇ = 3 t² − 1
        np.testing.assert_allclose(samples.q_ddot**2, 12 * (samples.q_dot + 1), atol=1e-9)


def test_samples_are_true_at_the_rate_of_their_nodes_and_need_not_know_the_law_well():
    """A law that is off by a constant and by a share leaves less than a tenth of what it lacks."""
    found = MEASURED.samples(lambda q, q_dot: 0.9 * SYSTEM.acceleration(q, q_dot) + 0.5)
    truth = np.asarray(jax.vmap(SYSTEM.acceleration)(found.q, found.q_dot))
    assert np.abs(found.q_ddot - truth).max() < 0.1 * np.abs(0.1 * truth + 0.5).max()


def test_samples_hand_on_context_and_torque():
    """q̈ = −c q + τ with τ = 2 t on the way: its samples solve it, and bring both with them."""
    c = np.array([[1.0], [4.0]])
    with integrate.double_precision():
        law = [partial(lambda c, q, q_dot, t: -c * q + 2 * t, c[k]) for k in (0, 1)]
        runs = [integrate.reference(a, [1.0], [0.0], dt=0.1, steps=5) for a in law]
        q, q_dot = (np.stack(x) for x in zip(*runs, strict=True))
        t = 0.1 * np.arange(6)
        torque = np.broadcast_to(2 * t[:, None], q.shape)
        made = data.motions(t, q, q_dot, context=c, torque=torque)
        found = made.samples(lambda q, q_dot, c, torque: -c * q + torque)
        expected = -found.context * found.q + found.torque
        np.testing.assert_allclose(found.q_ddot, expected, atol=1e-8)
        assert float(found.torque.min()) > 0 and found.context.shape == (50, 1)


def test_samples_ask_for_velocities_and_for_a_law_that_stays():
    with pytest.raises(ValueError, match="measured velocities"):
        data.motions(T, Q).samples()
    with pytest.raises(FloatingPointError, match="runs away after frame 0 of trajectory 0"):
        MEASURED.samples(lambda q, q_dot: jnp.exp(200 * jnp.abs(q_dot) ** 3))


# --- Solvers through given times ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("solver", "order"), [("euler", 1), ("heun", 2), ("rk4", 4), ("variational", 2)]
)
def test_a_solver_is_right_to_its_order(solver, order):
    """The true law's loss falls with the steps as the method's order says."""
    with integrate.double_precision():
        batch = data.motions(T, Q, Q_DOT).windows(7).batch()
        coarse, fine = (
            float(train.motion_loss(Truth(), solver=solver, substeps=n, scale=1e6)(9.8, batch))
            for n in (8, 16)
        )
    assert np.log2(coarse / fine) == pytest.approx(order, abs=0.25)


def test_diffrax_finds_the_true_motion_by_steps_of_its_own():
    solver = partial(integrate.adaptive, rtol=1e-9, atol=1e-9)
    with integrate.double_precision():
        slope = partial(Truth().slopes, 9.8)
        q, q_dot = solver(slope, Q[0, 0], Q_DOT[0, 0], T)
        np.testing.assert_allclose(q, Q[0], atol=1e-8)
        np.testing.assert_allclose(q_dot, Q_DOT[0], atol=1e-7)
    assert not np.isfinite(solver(slope, Q[0, 0], Q_DOT[0, 0], T, most=2)[0][-1]).any()


@pytest.mark.parametrize("adjoint", ["RecursiveCheckpointAdjoint", "BacksolveAdjoint"])
def test_diffrax_goes_back_to_what_a_slope_closes_over(adjoint):
    """The last angle's derivative by g, against that of the steps of our own."""
    adjoint = getattr(diffrax, adjoint)()

    def last(g, follow):
        return follow(partial(Truth().slopes, g), Q[0, 0], Q_DOT[0, 0], T)[0][-1, 0]

    with integrate.double_precision():
        fine = partial(integrate.through, substeps=20)
        solver = partial(integrate.adaptive, rtol=1e-9, atol=1e-9, adjoint=adjoint)
        found, expected = (float(jax.grad(last)(9.8, follow)) for follow in (solver, fine))
    assert found == pytest.approx(expected, rel=1e-6)


def test_without_diffrax_its_name_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "diffrax", None)
    with pytest.raises(ImportError, match="pip install diffrax"):
        integrate.adaptive(lambda q, y: (y, -q), jnp.ones(1), jnp.ones(1), T)


@pytest.mark.parametrize("follow", [integrate.through, integrate.adaptive])
@pytest.mark.parametrize("times", [[0.0], [0.0, 0.2, 0.2], [0.0, np.nan], [[0.0, 1.0]]])
def test_times_that_do_not_rise_are_refused(follow, times):
    with pytest.raises(ValueError, match=r"times that rise|two times or more"):
        follow(lambda q, y: (y, -q), jnp.ones(1), jnp.ones(1), np.array(times))


def test_recomputing_changes_nothing_but_memory():
    gradients = [
        jax.grad(train.motion_loss(PLAIN, substeps=3, recompute=recompute))(
            PLAIN.init(jax.random.key(0)), MEASURED.windows(5)(jax.random.key(0), 4)
        )
        for recompute in (False, True)
    ]
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6), *gradients)


# --- Losses of windows -------------------------------------------------------------------------


TIGHT = partial(integrate.adaptive, rtol=1e-10, atol=1e-10)
OURS = partial(integrate.through, substeps=3)  # as a solver of one's own is handed in


@pytest.mark.parametrize(
    ("solver", "starts"),
    [
        ("rk4", "measured"),
        ("variational", "measured"),
        (TIGHT, "measured"),
        ("rk4", "free"),
        ("variational", "free"),
        (OURS, "free"),
    ],
)
def test_the_gradient_equals_finite_differences(solver, starts):
    """Also where the start is the best one: it may be held fixed, since nothing changes with it."""
    with integrate.double_precision():
        noise = 0.03 * np.random.default_rng(0).normal(size=(2, *Q.shape))
        batch = data.motions(T, Q + noise[0], Q_DOT + noise[1]).windows(6).batch()
        loss = train.motion_loss(Truth(), solver=solver, substeps=3, starts=starts)
        slope, h = float(jax.grad(loss)(9.0, batch)), 1e-4
        expected = float(loss(9.0 + h, batch) - loss(9.0 - h, batch)) / (2 * h)
    assert slope == pytest.approx(expected, rel=1e-3 if starts == "free" else 1e-5)


def test_a_free_start_knows_more_than_a_noisy_one():
    """Of a start and five frames with as much noise, the fit leaves what noise there is."""
    rng, sigma = np.random.default_rng(1), 0.01
    q, q_dot = (np.tile(x, (50, 1, 1)) for x in (Q, Q_DOT))
    noisy = [x + sigma * rng.normal(size=x.shape) for x in (q, q_dot)]
    batch = data.motions(T, *noisy).windows(7).batch()
    settings = {"substeps": 8, "scale": 1e3, "velocity_scale": 1.0}
    measured, free = (
        1e3 * float(train.motion_loss(Truth(), starts=starts, **settings)(9.8, batch))
        for starts in train.STARTS
    )
    # 16 noisy numbers and two unknowns leave √(14/16) of √2 σ in each frame
    assert free == pytest.approx(sigma * (2 * 14 / 16) ** 0.5, rel=0.05)
    assert measured > 1.3 * free


def test_a_free_start_of_a_long_window_is_found_among_noisy_positions():
    """A second of a double pendulum's wide swings: two noisy frames say little of its velocity."""
    sigma, n = 0.01, 100
    q = jax.random.uniform(jax.random.key(0), (8, 2), minval=-2.5, maxval=2.5)
    system = systems.DoublePendulum()
    rollout = jax.jit(jax.vmap(partial(integrate.rollout, system.acceleration, dt=0.01, steps=n)))
    q = np.asarray(rollout(q, 2 * q[:, ::-1])[0])
    noise = sigma * np.random.default_rng(1).normal(size=q.shape)

    class Law:
        dim, angles = 2, (True, True)

        def acceleration(self, params, q, q_dot, context=None, torque=None):
            return system.acceleration(q, q_dot)

    batch = data.motions(0.01 * np.arange(n + 1), q + noise).windows(n).batch()
    loss = train.motion_loss(Law(), starts="free", scale=1e3)
    found = 1e3 * np.asarray(jax.jit(loss.each)(None, batch))
    # four numbers are fitted to 2 × 101
    np.testing.assert_allclose(found, sigma * (2 * (1 - 4 / 202)) ** 0.5, rtol=0.2)


def test_positions_alone_are_enough_for_a_free_start():
    made = data.motions(T, Q)
    loss = train.motion_loss(Truth(), substeps=8, starts="free")
    assert float(loss(9.8, made.windows(5).batch())) < 1e-4
    assert float(loss(9.0, made.windows(5).batch())) > 1e-3
    with pytest.raises(ValueError, match="starts='free'"):
        train.motion_loss(Truth())(9.8, made.windows(5).batch())
    with pytest.raises(ValueError, match="two frames or more after the first"):
        loss(9.8, made.windows(1).batch())


def test_an_angle_is_compared_around_the_circle():
    """As a camera gives it, wrapped into one turn."""
    turns = np.pi + np.stack([motion(3.0, 2.0)[0], motion(-3.0, -2.0)[0]])
    q_dot = np.stack([motion(3.0, 2.0)[1], motion(-3.0, -2.0)[1]])
    wrapped = turns % (2 * np.pi) - np.pi
    assert np.abs(np.diff(wrapped, axis=1)).max() > 3
    batch = data.motions(T, wrapped, q_dot).windows(4).batch()
    assert float(train.motion_loss(Truth(), substeps=8)(9.8, batch)) < 1e-4
    alone = data.motions(T, wrapped).windows(4).batch()
    assert float(train.motion_loss(Truth(), substeps=8, starts="free")(9.8, alone)) < 1e-4


def test_samples_refuse_an_angle_that_jumps_by_a_turn():
    q, q_dot = motion(3.0, 2.0)
    wrapped = (q + np.pi) % (2 * np.pi) - np.pi
    with pytest.raises(
        ValueError, match=r"after frame \d of trajectory 0 one jumps.* 1 of 7 spans"
    ):
        data.motions(T, wrapped, q_dot).samples()
    assert len(data.motions(T, np.unwrap(wrapped, axis=0), q_dot).samples()) == 35


def test_a_torque_is_linear_between_frames_and_a_context_is_known():
    """q̈ = −c q + τ against SciPy, on a clock that stutters."""
    c, knots = 3.0, np.random.default_rng(3).normal(size=len(T))
    with integrate.double_precision():

        def law(q, q_dot, t):
            return -c * q + jnp.interp(t, T, knots)

        q, q_dot = [np.array([[1.0]])], [np.array([[0.0]])]
        for a, b in itertools.pairwise(T):
            start = q[-1][-1], q_dot[-1][-1]
            found = integrate.reference(law, *start, dt=float(b - a), steps=1, t=float(a))
            q.append(found[0][1:])
            q_dot.append(found[1][1:])

        class Driven:
            def acceleration(self, params, q, q_dot, context, torque):
                return -context * q + params * torque

        q, q_dot = np.concatenate(q)[None], np.concatenate(q_dot)[None]
        made = data.motions(T, q, q_dot, context=[[c]], torque=knots[None, :, None])
        loss = train.motion_loss(Driven(), substeps=16)
        assert float(loss(1.0, made.windows(5).batch())) < 1e-6
        assert float(loss(1.1, made.windows(5).batch())) > 1e-3


def test_explicit_time_is_the_clocks():
    """q̈ = cos t from a motion that begins late: q̇ = sin t."""

    class Clock:
        def acceleration(self, params, q, q_dot, t):
            return params * jnp.cos(t)[None]

    t = T + 7.0
    made = data.motions(t, -np.cos(t)[:, None], np.sin(t)[:, None])
    loss = train.motion_loss(Clock(), substeps=4)
    assert float(loss(1.0, made.windows(4).batch())) < 1e-5


def test_every_kind_of_model_learns_from_motion():
    """A few steps help each of them, in windows and on samples."""
    ode = models.NeuralODE(**FACE, acceleration_scale=10.0)
    kinds = [NETWORK, models.DeLaN(**FACE), models.HNN(**FACE), PLAIN, ode]
    windows = MEASURED.windows(2)
    for model in kinds:
        loss = train.motion_loss(model)
        params = model.init(jax.random.key(0))
        settings = {"key": jax.random.key(1), "steps": 60, "batch_size": 16, "progress": False}
        fit = train.fit(loss, params, windows, held_out=windows, **settings)
        assert fit.held_out[-1, 1] < 0.98 * float(loss(params, windows.batch())), model


def test_a_first_order_model_moves_by_its_own_velocity():
    """Its q̇ is a number like others: what moves q is its first slope."""
    model = models.NeuralODE(dim=2, velocity_scale=2.0, acceleration_scale=5.0, width=4)
    params = model.init(jax.random.key(0))
    q, q_dot = jnp.array([0.3, -0.2]), jnp.array([1.0, 2.0])
    both = model.network(params, q, q_dot) * jnp.array([2.0, 2.0, 5.0, 5.0])
    np.testing.assert_allclose(jnp.concatenate(model.slopes(params, q, q_dot)), both, rtol=1e-6)
    np.testing.assert_allclose(model.acceleration(params, q, q_dot), both[2:], rtol=1e-6)
    found = model.rollout(params, q, q_dot, dt=1e-3, steps=1)
    np.testing.assert_allclose((found[0][1] - q) / 1e-3, both[:2], rtol=2e-2)
    assert [len(pair) for pair in model.compare(params, q, q_dot, q_dot)] == [2, 2]


def test_a_motion_that_is_lost_is_named():
    """The first step breaks the law; the frame is told, of whichever motion it is."""

    class Cliff:
        def acceleration(self, params, q, q_dot):
            return jnp.where(q < -1.9, jnp.nan, params * jnp.sin(q))

    with pytest.raises(train.NonFiniteError, match=r"from frame . of trajectory 1.* gives up"):
        train.fit(
            train.motion_loss(Cliff()),
            jnp.float32(-9.8),
            MEASURED.windows(2),
            key=jax.random.key(0),
            steps=20,
            batch_size=4,
            optimizer=optax.sgd(1e-3),
            progress=False,
        )


def test_training_on_windows_resumes_bit_by_bit(tmp_path):
    loss, windows = train.motion_loss(PLAIN, starts="free"), MEASURED.windows(2)
    run = partial(train.fit, loss, batches=windows, key=jax.random.key(1), batch_size=4, chunk=5)
    settings = {"params": PLAIN.init(jax.random.key(0)), "steps": 10, "progress": False}
    whole = run(**settings)

    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    with pytest.MonkeyPatch.context() as patch:
        save, calls = train.loop.store.save, []

        def saving(*arguments):
            save(*arguments)
            calls.append(1)
            stop()

        patch.setattr(train.loop.store, "save", saving)
        with pytest.raises(Stop):
            run(**settings, checkpoint=tmp_path)
    resumed = run(**settings, checkpoint=tmp_path)
    jax.tree.map(np.testing.assert_array_equal, whole.params, resumed.params)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"solver": "simpson"},
            "unknown solver 'simpson'; known are: euler, heun, rk4, variational",
        ),
        ({"starts": "guessed"}, "unknown starts"),
        ({"substeps": 0}, "substeps >= 1"),
        ({"scale": 0}, "scale > 0"),
        ({"velocity_scale": (1.0, 2.0)}, "expected 1 entries in velocity_scale"),
    ],
)
def test_bad_settings_are_refused_at_the_door(settings, message):
    with pytest.raises(ValueError, match=message):
        train.motion_loss(NETWORK, **settings)


def test_a_variational_solver_asks_for_a_lagrangian():
    with pytest.raises(TypeError, match=r"model\.lagrangian"):
        train.motion_loss(models.PlainNetwork(dim=1), solver="variational")


def test_each_loss_says_which_batches_it_is_for():
    window = MEASURED.windows(1)(jax.random.key(0), 2)
    with pytest.raises(TypeError, match="that is for motion_loss"):
        train.acceleration_loss(PLAIN)(None, window)
    with pytest.raises(TypeError, match=r"expected a data\.Window.* got tuple"):
        train.motion_loss(PLAIN)(None, MEASURED.samples()(jax.random.key(0), 2))
