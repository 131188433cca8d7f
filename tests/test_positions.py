"""Learning from positions alone: fitted windows, and the discrete Euler–Lagrange equation."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import savgol_filter

from lnn_tutorial import data, evaluate, integrate, learning, models, systems, train

SYSTEM = systems.Pendulum()
H = 0.02
FACE = {"dim": 1, "angles": (True,), "velocity_scale": 3.0, "width": 6, "activation": "tanh"}


class Truth:
    """The true pendulum with the face of a model; its parameters are a factor and a gauge."""

    dim, angles, velocity_scale = 1, (True,), 3.0

    def __init__(self, friction=0.0):
        self.friction = friction
        if friction:
            self.forces = ("friction",)

    def lagrangian(self, params, q, q_dot, context=None):
        factor, gauge = params
        return factor * SYSTEM.lagrangian(q, q_dot) + gauge * (jnp.cos(q) @ q_dot)

    def generalised_force(self, params, q, q_dot, context=None, torque=None):
        return params[0] * (-self.friction * q_dot + (0.0 if torque is None else torque))


def seen(steps, dt=H, friction=0.0, torque=None):
    """True motions `[4, steps + 1, 1]`, with their velocities, and accelerations."""
    q, v = np.array([[1.0], [-2.0], [0.3], [2.5]]), np.array([[0.5], [1.0], [-3.0], [0.0]])

    def law(q, q_dot, t=0.0):
        push = 0.0 if torque is None else torque(t)
        return SYSTEM.acceleration(q, q_dot) + (push - friction * q_dot)

    each = max(1, round(dt / 0.001))
    with integrate.double_precision():
        if torque is None:
            found = evaluate.rollouts(law, q, v, dt=dt, steps=steps, substeps=each)
        else:
            times = dt * np.arange(steps + 1)
            slope = lambda q, q_dot, t: (q_dot, law(q, q_dot, t))  # noqa: E731
            go = partial(integrate.through, slope, times=times, substeps=each)
            found = jax.vmap(lambda q, v: go(q, v))(q, v)
        q_ddot = jax.vmap(jax.vmap(SYSTEM.acceleration))(*found)
    return *(np.asarray(x) for x in found), np.asarray(q_ddot)


Q, Q_DOT, Q_DDOT = seen(100)
T = H * np.arange(101)


def of(samples):
    """Their arrays, of NumPy."""
    return tuple(np.asarray(x) for x in (samples.q, samples.q_dot, samples.q_ddot))


def at_rows(samples, x, frames):
    """What the middles of all windows of motions `[m, f, d]` should be."""
    half = frames // 2
    return x[:, half:-half].reshape(len(samples), -1)


@pytest.mark.parametrize(("frames", "degree"), [(4, 1), (10, 1), (10, 2), (16, 3)])
def test_without_a_model_it_is_the_filter_of_savitzky_and_golay(frames, degree):
    noisy = Q + 0.01 * np.random.default_rng(0).normal(size=Q.shape)
    with integrate.double_precision():
        found = data.motions(T, noisy).samples(frames=frames, degree=degree)
    for got, order in zip(of(found), (0, 1, 2), strict=True):
        filtered = savgol_filter(noisy, frames + 1, degree + 2, deriv=order, delta=H, axis=1)
        assert got == pytest.approx(at_rows(found, filtered, frames), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("frames", [4, 10, 24])
def test_with_the_true_law_the_states_are_true(frames):
    with integrate.double_precision():
        found = data.motions(T, Q).samples(SYSTEM.acceleration, frames=frames)
    for got, true in zip(of(found), (Q, Q_DOT, Q_DDOT), strict=True):
        assert np.abs(got - at_rows(found, true, frames)).max() < 2e-5
    with integrate.double_precision():
        polynomial = data.motions(T, Q).samples(frames=frames)
    assert np.abs(of(polynomial)[2] - at_rows(found, Q_DDOT, frames)).max() > 2e-3


def test_at_irregular_times_the_states_are_true():
    rng = np.random.default_rng(1)
    kept = np.sort(rng.choice(np.arange(1, 100), 60, replace=False))
    with integrate.double_precision():
        few = data.motions(T[kept], Q[:, kept])
        found = few.samples(SYSTEM.acceleration, frames=6)
        q_ddot = jax.vmap(SYSTEM.acceleration)(found.q, found.q_dot)
        energy = jax.vmap(SYSTEM.energy)(found.q, found.q_dot)
    energy = np.asarray(energy)
    assert of(found)[2] == pytest.approx(np.asarray(q_ddot), abs=1e-4)
    for label in range(4):
        with integrate.double_precision():
            true = float(SYSTEM.energy(Q[label, 0], Q_DOT[label, 0]))
        assert energy[found.trajectory == label] == pytest.approx(true, abs=1e-4)


def test_noise_in_the_acceleration_falls_with_the_length_as_the_docstring_says():
    rng, sigma = np.random.default_rng(2), 1e-3
    many = np.tile(Q, (25, 1, 1))
    with integrate.double_precision():
        noisy = data.motions(T, many + sigma * rng.normal(size=many.shape))
        for frames in (16, 32):
            found = noisy.samples(SYSTEM.acceleration, frames=frames, degree=0)
            true = np.tile(Q_DDOT[:, frames // 2 : -(frames // 2)], (25, 1, 1)).reshape(-1, 1)
            off = of(found)[2] - true
            told = 27 * sigma / (np.sqrt(frames) * (frames * H) ** 2)
            assert 0.7 * told < off.std() < 1.2 * told


def test_the_longest_window_that_noise_allows_is_taken():
    rng, sigma = np.random.default_rng(3), 1e-3
    noisy = data.motions(T, Q + sigma * rng.normal(size=Q.shape))
    lengths = (4, 10, 20, 40)
    blind = data.fitted.fit(noisy, None, lengths, sigma, 1)[2]
    knowing = data.fitted.fit(noisy, SYSTEM.acceleration, lengths, sigma, 1)[2]
    assert np.mean(knowing == 40) > 0.9 * (61 / 101)  # as many windows as there can be
    assert np.mean(blind == 40) < 0.1


def test_a_lost_frame_spoils_only_its_own_windows():
    rng, sigma = np.random.default_rng(4), 1e-3
    noisy = Q + sigma * rng.normal(size=Q.shape)
    clean = data.motions(T, noisy).samples(SYSTEM.acceleration, frames=(4, 8), noise=sigma)
    noisy[1, 50] += 0.4
    spoilt = data.motions(T, noisy).samples(SYSTEM.acceleration, frames=(4, 8), noise=sigma)
    assert len(spoilt) <= len(clean) - 5
    true = np.asarray(jax.vmap(SYSTEM.acceleration)(spoilt.q, spoilt.q_dot))
    assert np.abs(of(spoilt)[2] - true).max() < 10  # by 0.4 rad it would be 400 and more


def test_windows_across_a_gap_are_left_out():
    kept = np.delete(np.arange(101), np.arange(40, 60))
    with integrate.double_precision():
        found = data.motions(T[kept], Q[:, kept]).samples(frames=4)
    whole = len(data.motions(T, Q).samples(frames=4))
    assert len(found) == whole - 4 * (20 + 4)
    assert np.abs(np.asarray(found.q_ddot)).max() < 20


def test_context_and_torque_go_along():
    push = lambda t: 2.0 * np.sin(3 * t)  # noqa: E731
    q, *_ = seen(60, torque=lambda t: 2.0 * jnp.sin(3 * t))
    t = H * np.arange(61)
    torque = np.broadcast_to(push(t)[None, :, None], q.shape)

    def law(q, q_dot, context, torque):
        return SYSTEM.acceleration(q, q_dot) * context + torque

    with integrate.double_precision():
        driven = data.motions(t, q, torque=torque, context=np.ones((4, 1)))
        found = driven.samples(law, frames=8)
        accelerations = jax.vmap(law)(found.q, found.q_dot, found.context, found.torque)
    assert of(found)[2] == pytest.approx(np.asarray(accelerations), abs=1e-3)
    assert np.asarray(found.torque) == pytest.approx(at_rows(found, torque, 8), abs=1e-3)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"frames": 5}, "even numbers"),
        ({"frames": (6, 4)}, "each more than the last"),
        ({"frames": (4, 6)}, "noise of the positions"),
        ({"frames": 4, "degree": 3}, "windows of 5 frames"),
        ({"frames": 4, "noise": 0.0}, "noise"),
        ({"frames": 200}, "windows of at most 100"),
    ],
)
def test_windows_that_cannot_be_are_refused(change, word):
    with pytest.raises(ValueError, match=word):
        data.motions(T, Q).samples(**change)


def test_without_a_window_that_fits_there_are_no_samples():
    with (
        integrate.double_precision(),
        pytest.raises(ValueError, match="found none"),
    ):
        data.motions(T, Q).samples(frames=10, noise=1e-9)


def test_wrapped_angles_are_refused_by_frame():
    turning = 3.0 * T[:, None] + 1.0
    wrapped = (turning + np.pi) % (2 * np.pi) - np.pi
    row = int(np.argmax(np.abs(np.diff(wrapped[:, 0]))))
    with pytest.raises(ValueError, match=f"frame {row} of trajectory 0 one jumps by a whole turn"):
        data.motions(T, wrapped).samples(frames=4)
    assert len(data.motions(T, turning).samples(frames=4)) == 97


def test_a_law_that_runs_away_is_named_by_frame():
    def wild(q, q_dot):
        return jnp.where(q > 1.0, jnp.nan, 0.0) * q

    with pytest.raises(FloatingPointError, match="of trajectory 0, and in"):
        data.motions(T, Q).samples(wild, frames=4)


# --- the discrete Euler–Lagrange equation ---


def value(loss, params, window):
    """A loss, compiled: op by op it would take longer."""
    return float(jax.jit(loss)(params, window))


def triples(dt, **settings):
    q, *_ = seen(2, dt, **settings)
    with integrate.double_precision():
        return data.motions(dt * np.arange(3), q).windows(2).batch()


@pytest.mark.parametrize("friction", [0.0, 0.5])
@pytest.mark.parametrize(("order", "least", "most"), [(2, 3.0, 5.0), (4, 11.0, 21.0)])
def test_the_true_lagrangian_is_right_to_the_order(order, least, most, friction):
    loss = train.discrete_loss(Truth(friction), order=order, scale=5.0)
    with integrate.double_precision():
        coarse, fine = (
            value(loss, (1.0, 0.0), triples(h, friction=friction)) for h in (0.06, 0.03)
        )
    assert least < coarse / fine < most


def test_factors_and_gauge_terms_change_nothing():
    loss = train.discrete_loss(Truth(), order=4, scale=5.0)
    with integrate.double_precision():
        window = triples(0.02)
        plain, scaled, gauged = (
            value(loss, params, window) for params in ((1.0, 0.0), (1e-6, 0.0), (1.0, 0.3))
        )
    assert scaled == pytest.approx(plain, rel=1e-6)
    assert gauged < 1e-4  # a total derivative, up to the order of the rule


@pytest.mark.parametrize("order", [2, 4])
def test_a_torque_is_taken_at_its_time(order):
    torque = lambda t: 3.0 * jnp.sin(4 * t)  # noqa: E731
    found = []
    for dt in (0.1, 0.05):
        q, *_ = seen(2, dt, torque=torque)
        t = dt * np.arange(3)
        given = np.broadcast_to(np.asarray(torque(t))[None, :, None], q.shape)
        with integrate.double_precision():
            window = data.motions(t, q, torque=given).windows(2).batch()
            truth = Truth(1e-9)
            loss = train.discrete_loss(truth, order=order, scale=5.0)
            found.append(value(loss, (1.0, 0.0), window))
    assert found[0] < 0.01
    assert found[0] / found[1] > 3.0  # the torque itself is linear between two frames


def test_irregular_times_and_wrapped_angles():
    uneven, _, _ = seen(10, 0.01)
    times, kept = 0.01 * np.array([0, 3, 10]), [0, 3, 10]
    with integrate.double_precision():
        loss = train.discrete_loss(Truth(), order=4, scale=5.0)
        q = uneven[:, kept] + np.pi
        window = data.motions(times, q).windows(2).batch()
        wrapped = data.motions(times, (q + np.pi) % (2 * np.pi) - np.pi).windows(2).batch()
        right = value(loss, (1.0, 0.0), data.motions(times, uneven[:, kept]).windows(2).batch())
        assert right < 1e-3
        found = [value(loss, (1.0, 0.0), x) for x in (wrapped, window)]
        assert found[0] == pytest.approx(found[1])


def test_it_learns_from_positions():
    motions = data.motions(T, Q)
    model = models.LNN(**{**FACE, "width": 16, "depth": 1})
    loss = train.discrete_loss(model, scale=5.0)
    fit = train.fit(
        loss,
        model.init(jax.random.key(0)),
        motions.windows(2),
        key=jax.random.key(1),
        steps=400,
        batch_size=32,
        progress=False,
    )
    found = jax.vmap(partial(model.acceleration, fit.params))(
        Q[:, ::10].reshape(-1, 1), Q_DOT[:, ::10].reshape(-1, 1)
    )
    miss = np.abs(found - Q_DDOT[:, ::10].reshape(-1, 1)).mean()
    assert miss < 0.05 * np.abs(Q_DDOT).mean()


def test_what_cannot_be_compared_is_refused():
    model = models.LNN(**FACE)
    params = model.init(jax.random.key(0))
    with pytest.raises(ValueError, match="order 2 or 4, got 3"):
        train.discrete_loss(model, order=3)
    with pytest.raises(TypeError, match=r"model\.lagrangian"):
        train.discrete_loss(models.PlainNetwork(**FACE))
    loss = train.discrete_loss(model)
    with pytest.raises(ValueError, match="two frames after a first one, got 3"):
        loss(params, data.motions(T, Q).windows(3).batch())
    with pytest.raises(TypeError, match=r"expected a data\.Window"):
        loss(params, (Q, Q, Q))

    class Own(models.LNN):
        def equation_of_motion(self, params, q, q_dot, context=None):
            return jnp.eye(1), -q

    with pytest.raises(TypeError, match="its own law"):
        train.discrete_loss(Own(**FACE))


# --- laws integrated along paths ---


class Gravity:
    """A pendulum whose one parameter is g."""

    dim, angles = 1, (True,)

    def acceleration(self, g, q, q_dot, context=None, torque=None):
        push = 0.0 if torque is None else torque
        return -(g if context is None else g * context) * jnp.sin(q) + push


GRAVITY = Gravity()


def noisy(sigma, copies=25, seed=5, **beside):
    many = np.tile(Q, (copies, 1, 1))
    many = many + sigma * np.random.default_rng(seed).normal(size=many.shape)
    return data.motions(T, many, **beside)


def test_the_true_law_leaves_what_noise_leaves():
    sigma = 1e-3
    paths = noisy(sigma).paths(SYSTEM.acceleration, frames=16, noise=sigma)
    loss = train.integral_loss(GRAVITY, sigma)
    far = np.asarray(jax.vmap(loss.distance, (None, 0))(9.8, paths.batch()))
    assert far.mean() == pytest.approx(1.0, abs=0.05)
    wrong = np.asarray(jax.vmap(loss.distance, (None, 0))(9.0, paths.batch()))
    assert wrong.mean() > 2


def test_gravity_is_weighed_by_noisy_positions():
    sigma = 0.01
    motions = noisy(sigma, copies=8)
    loss = jax.jit(jax.vmap(train.integral_loss(GRAVITY, sigma, scale=30.0), (0, None)))
    g = 8.0
    for away in (2.0, 0.7, 0.3):  # paths by the law so far, and the law along these paths
        law = partial(GRAVITY.acceleration, g)
        paths = motions.paths(law, frames=(10, 20, 30), noise=sigma)
        trial = np.linspace(g - away, g + away, 25)
        g = float(trial[np.argmin(loss(trial, paths.batch()))])
    assert g == pytest.approx(9.8, abs=0.1)
    twice = np.diff(np.asarray(motions.q).reshape(-1, 101), 2, axis=1) / H**2
    angle = np.asarray(motions.q).reshape(-1, 101)[:, 1:-1]
    scatter = np.std(twice + 9.8 * np.sin(angle))
    assert scatter > 50  # of an acceleration from three frames, in rad/s²


def test_torque_and_context_go_along_a_path():
    push = lambda t: 2.0 * np.sin(3 * t)  # noqa: E731
    q, *_ = seen(60, torque=lambda t: 2.0 * jnp.sin(3 * t))
    t = H * np.arange(61)
    torque = np.broadcast_to(push(t)[None, :, None], q.shape)
    law = partial(GRAVITY.acceleration, 9.8)
    driven = data.motions(t, q, torque=torque, context=np.ones((4, 1)))
    paths = driven.paths(law, frames=8, noise=1e-4)
    loss = train.integral_loss(GRAVITY, 1e-4)
    assert float(loss(9.8, paths.batch())) < 0.05
    free = paths.batch()._replace(torque=jnp.zeros_like(paths.batch().torque))
    assert float(loss(9.8, free)) > 0.5


def test_paths_are_drawn_and_told():
    paths = noisy(0.01).paths(frames=(6, 12), noise=0.01, degree=2)
    assert repr(paths) == f"Paths({len(paths)} of 6 to 12 frames)"
    batch = paths(jax.random.key(0), 7)
    assert isinstance(batch, data.Path)
    assert batch.frames.shape == (7, 13, 1)
    with pytest.raises(TypeError, match=r"expected a data\.Path"):
        train.integral_loss(GRAVITY, 0.01)(9.8, (Q, Q, Q))
    with pytest.raises(ValueError, match="noise"):
        noisy(0.01).paths(frames=6, noise=None)


def test_a_network_learns_the_pendulum_from_noisy_positions(monkeypatch):
    of_a_kind = {one.kind: one for one in learning.NOISY_ROUNDS}  # the others only take time
    monkeypatch.setattr(learning.rounds, "NOISY_ROUNDS", tuple(of_a_kind.values()))
    sigma = 0.01
    motions = noisy(sigma, copies=6)
    model = models.LNN(**{**FACE, "width": 16, "depth": 1})
    settings = {"noise": sigma, "key": jax.random.key(0), "steps": 1000, "progress": False}
    fit = learning.fit_positions(model, motions, windows=1000, **settings)
    q, q_dot, q_ddot = (x[:, ::10].reshape(-1, 1) for x in (Q, Q_DOT, Q_DDOT))
    found = np.asarray(jax.vmap(partial(model.acceleration, fit.params))(q, q_dot))
    assert np.abs(found - q_ddot).mean() < 0.05 * np.abs(q_ddot).mean()
    with pytest.raises(ValueError, match="windows of at most 2"):
        learning.fit_positions(model, data.motions(T[:3], Q[:, :3]), **settings)
