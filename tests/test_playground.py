"""The playground's JavaScript, run in Node, against JAX in double precision."""

import base64
import json
import re
import shutil
import subprocess
import zipfile
from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lnn_tutorial import integrate, mechanics, models, store, systems, train
from scripts import export_playground
from tests.book.conftest import ROOT, skip_or_fail

pytestmark = pytest.mark.usefixtures("float64")

CLOSE = 1e-10  # both compute in float64, in another order

PENDULUMS = [{}, {"mass1": 0.7, "mass2": 2.1, "length1": 1.3, "length2": 0.6, "gravity": 3.7}]

MODELS = {
    "as the page has it": {"width": 32, "depth": 2},
    "narrow and deep": {"width": 7, "depth": 3},
    "one layer": {"width": 16, "depth": 1},
    "no offset": {"width": 16, "depth": 2, "offset": False},
    "raw angles": {"width": 16, "depth": 2, "features": "raw angle"},
    "squared error": {"width": 16, "depth": 2, "loss": "squared"},
    "plain": {"width": 32, "depth": 2, "kind": "plain"},
    "plain, raw angles": {"width": 9, "depth": 3, "kind": "plain", "features": "raw angle"},
}


def node(*requests):
    """What `scripts/playground_in_node.js` answers."""
    if not shutil.which("node"):
        skip_or_fail("node is missing")
    ran = subprocess.run(
        ["node", ROOT / "scripts" / "playground_in_node.js"],
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def package_model(settings, rate):
    """The package's model of the same settings."""
    face = {"dim": 2, "angles": (True, True), "velocity_scale": 5.0 * rate, "activation": "silu"}
    face |= {"width": settings["width"], "depth": settings["depth"]}
    face["angle_features"] = "wrapped" if settings.get("features") == "raw angle" else "trig"
    if settings.get("kind") == "plain":
        return models.PlainNetwork(**face, acceleration_scale=20.0 * rate**2)
    return models.LNN(**face, kinetic_offset=float(settings.get("offset", True)))


def flat(params):
    return np.concatenate([np.ravel(layer[n]) for layer in params for n in ("weight", "bias")])


def unflat(numbers, sizes):
    layers, at = [], 0
    for n_in, n_out in pairwise(sizes):
        weight = np.reshape(numbers[at : at + n_in * n_out], (n_in, n_out))
        at += n_in * n_out
        layers.append({"weight": jnp.array(weight), "bias": jnp.array(numbers[at : at + n_out])})
        at += n_out
    return layers


def rate_of(system):
    return float(np.sqrt(system.gravity / 9.8 * 2 / (system.length1 + system.length2)))


# --- Values, energies and gradients -----------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_values_and_gradients_are_those_of_jax(name):
    pendulum = PENDULUMS[len(name) % 2]
    settings, system = MODELS[name] | {"pendulum": pendulum}, systems.DoublePendulum(**pendulum)
    rate = rate_of(system)
    model = package_model(settings, rate)
    rng = np.random.default_rng(len(name))
    params = model.init(jax.random.key(1))
    params = jax.tree.map(lambda x: x + 0.1 * rng.normal(size=x.shape), params)
    q, v = 3 * rng.normal(size=(6, 2)), 5 * rate * rng.normal(size=(6, 2))
    found = node(
        {
            "ask": "values",
            "settings": settings,
            "parameters": flat(params).tolist(),
            "q": q.ravel().tolist(),
            "v": v.ravel().tolist(),
        }
    )[0]

    truth = jax.vmap(system.acceleration)(q, v)
    kind = {"squared": "l2"}.get(settings.get("loss"), "relative")
    loss = train.acceleration_loss(model, kind, scale=5 * rate**2)
    value, gradient = jax.jit(jax.value_and_grad(loss))(params, (q, v, truth))
    expected = {
        "truth": truth,
        "acceleration": jax.vmap(partial(model.acceleration, params))(q, v),
        "loss": value,
        "gradient": flat(gradient),
    }
    if settings.get("kind") != "plain":
        lagrangian = partial(model.lagrangian, params)
        mass = jax.jit(jax.vmap(mechanics.mass_matrix(lagrangian)))(q, v)
        expected["mass"] = mass[:, [0, 0, 1], [0, 1, 1]]
        expected["value"] = jax.vmap(lagrangian)(q, v)
        expected["energy"] = jax.vmap(mechanics.energy(lagrangian))(q, v)
    assert expected.keys() == found.keys()
    for what, is_right in expected.items():
        is_right = np.ravel(is_right)
        size = np.abs(is_right).max()
        np.testing.assert_allclose(
            np.ravel(found[what]), is_right, rtol=0, atol=CLOSE * size, err_msg=what
        )


def test_the_line_that_the_page_quotes_is_in_the_script():
    page = (ROOT / "chapters" / "playground.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"```javascript\n(.+)\n```", page)
    script = (ROOT / "playground" / "lagrangian.js").read_text(encoding="utf-8")
    assert script.count(f" {line}\n") == 1


@pytest.mark.parametrize("kind", ["Muon", "Adam"])
def test_a_step_is_that_of_optax(kind):
    sizes, steps = [6, 16, 16, 2], 40
    rng = np.random.default_rng(0)
    count = sum((a + 1) * b for a, b in pairwise(sizes))
    start, gradients = rng.normal(size=count), rng.normal(size=(5, count))
    request = {"sizes": sizes, "kind": kind, "peak": 0.02, "steps": steps}
    request |= {"parameters": start.tolist(), "gradients": gradients.tolist()}
    found = node({"ask": "optimiser", **request})[0]

    warm = max(1, int(0.05 * steps))
    schedule = optax.warmup_cosine_decay_schedule(0.0, 0.02, warm, steps)
    optimizer = train.muon(0.02, steps) if kind == "Muon" else optax.nadam(schedule)
    params = unflat(start, sizes)
    state = optimizer.init(params)
    update = jax.jit(optimizer.update)
    for gradient, ours in zip(gradients, found, strict=True):
        change, state = update(unflat(gradient, sizes), state, params)
        params = optax.apply_updates(params, change)
        # optax computes its schedule, which multiplies every step, in single precision.
        np.testing.assert_allclose(ours, flat(params), rtol=0, atol=0.02 * 2e-7)


@pytest.mark.parametrize("pendulum", PENDULUMS, ids=["paper's", "another"])
def test_the_true_pendulum_is_the_packages(pendulum):
    system = systems.DoublePendulum(**pendulum)
    start, dt, steps = [1.2, -0.4, 0.3, 1.0], 1 / 240, 240
    rng = np.random.default_rng(3)
    q, v = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))
    energy = {"ask": "energy", "q": q.ravel().tolist(), "v": v.ravel().tolist()}
    motion = {"ask": "motion", "model": "truth", "start": start, "dt": dt, "steps": steps}
    energies, rows = node(
        energy | {"pendulum": pendulum}, motion | {"pendulum": pendulum, "every": 60}
    )
    np.testing.assert_allclose(energies, jax.vmap(system.energy)(q, v), rtol=1e-13)
    expected = integrate.rollout(
        system.acceleration, jnp.array(start[:2]), jnp.array(start[2:]), dt=dt, steps=steps
    )
    np.testing.assert_allclose(rows, np.hstack(expected)[60::60], rtol=1e-10)


# --- The book's networks ----------------------------------------------------------------


def test_the_weights_are_those_that_the_package_ships():
    assert export_playground.SCRIPT.read_text(encoding="utf-8") == export_playground.script()


@pytest.mark.parametrize("kind", ["lagrangian", "plain"])
def test_the_books_networks_move_as_in_python(kind):
    model, params = store.load_model(export_playground.MODELS[kind])
    params = jax.tree.map(lambda x: x.astype(float), params)
    start, dt, steps = [2.0, 1.0, 0.0, 0.0], 1 / 240, 480
    rows = node(
        {"ask": "motion", "model": kind, "start": start, "dt": dt, "steps": steps, "every": 120}
    )[0]
    expected = model.rollout(params, jnp.array(start[:2]), jnp.array(start[2:]), dt=dt, steps=steps)
    np.testing.assert_allclose(rows, np.hstack(expected)[120::120], rtol=1e-9, atol=1e-9)


# --- Training ---------------------------------------------------------------------------


def test_a_training_is_the_same_twice_and_another_with_another_seed():
    request = {"ask": "train", "settings": {"width": 16, "steps": 30}, "steps": 30}
    other = {**request, "settings": {"width": 16, "steps": 30, "seed": 1}}
    visited = {**request, "settings": {"width": 16, "steps": 30, "states": "visited"}}
    first, second, another, near = node(request, request, other, visited)
    assert first == second
    assert first["losses"] != another["losses"]
    assert first["losses"] != near["losses"]
    assert np.mean(first["losses"][-5:]) < np.mean(first["losses"][:5])


def test_states_of_the_box_fill_it_more_evenly_than_chance_would():
    batches = node({"ask": "draw", "settings": {"states": "box"}, "batches": 200})[0]
    q, v = np.moveaxis(np.reshape(batches, (200, 2, 128, 2)), 1, 0)
    for numbers, least, most in ((q, 0, 2 * np.pi), (v, -10, 10)):
        assert least <= numbers.min() and numbers.max() <= most
        shares = np.quantile((numbers - least) / (most - least), [0.25, 0.5, 0.75], axis=(0, 1))
        np.testing.assert_allclose(shares, np.transpose([[0.25, 0.5, 0.75]] * 2), atol=0.02)
    for seen in (np.sin(q), np.cos(q), v, np.sin(q) * v, v[..., :1] * v, np.sin(q[..., :1] - q)):
        by_chance = (
            seen.var(axis=(0, 1)) / 128
        )  # of a mean of states that know nothing of each other
        assert (seen.mean(axis=1).var(axis=0) <= 0.5 * by_chance).all()


def test_three_of_four_usual_states_are_near_true_motions():
    both, near = node(
        {"ask": "draw", "settings": {}, "batches": 20},
        {"ask": "draw", "settings": {"states": "visited"}, "batches": 20},
    )
    usual, near = (np.abs(np.reshape(found, (20, 2, 128, 2))[:, 1]) for found in (both, near))
    assert np.median(usual[:, 96:]) == pytest.approx(5, abs=0.3)  # of the box, up to 10 rad/s
    assert np.median(usual[:, :96]) == pytest.approx(np.median(near), abs=0.3)
    assert np.median(near) < 3


def test_two_thousand_steps_learn_the_pendulum_to_a_percent():
    """By the paper's protocol, shortened, median of three seeds: the paper has 0.4 % and 8 %."""
    protocol = {"starts": 10, "seconds": 20, "dt": 0.01}
    requests = [
        {
            "ask": "judged",
            "settings": {"width": 16, "steps": 2000, "kind": kind, "seed": seed},
            "protocol": protocol,
        }
        for kind in ("lagrangian", "plain")
        for seed in range(3)
    ]
    errors = [float(answer["error"]) for answer in node(*requests)]
    ours, plain = np.median(errors[:3]), np.median(errors[3:])
    assert ours < 0.02
    assert plain > 5 * ours


def test_a_training_that_comes_apart_is_reported_and_stops():
    settings = {"loss": "squared", "offset": False, "peak": 50, "optimiser": "Adam", "width": 16}
    reports = node(
        {
            "ask": "workshop",
            "orders": [{"after": 0, "message": {"order": "start", "settings": settings}}],
        }
    )[0]
    assert reports[-1]["news"] == "apart"
    assert reports[-1]["step"] >= 1


def test_a_pause_changes_nothing_of_what_is_learned():
    settings = {"width": 16, "steps": 300}
    start = {"after": 0, "message": {"order": "start", "settings": settings}}
    pause = {"after": 1, "message": {"order": "pause"}}
    resume = {"after": 2, "message": {"order": "resume"}}
    straight, paused = node(
        {"ask": "workshop", "orders": [dict(start)]},
        {"ask": "workshop", "orders": [dict(start), dict(pause), dict(resume)]},
    )
    finished = [
        [report for report in reports if report["news"] == "progress"][-1]
        for reports in (straight, paused)
    ]
    assert all(report["done"] == 300 for report in finished)
    assert finished[0]["parameters"] == finished[1]["parameters"]


def test_a_pause_pressed_again_and_again_leaves_one_training():
    order = {"start": {"settings": {"width": 16, "steps": 300}}, "pause": {}, "resume": {}}
    names = ["start", *["pause", "resume"] * 10]
    orders = [{"after": 1, "message": {"order": name} | order[name]} for name in names]
    orders[0]["after"] = 0
    reports = node({"ask": "workshop", "orders": orders})[0]
    assert [report["news"] for report in reports].count("done") == 1


@pytest.mark.parametrize("mass2", [1, 3])
@pytest.mark.parametrize("length1", [0.5, 1.5])
def test_steps_in_time_are_small_enough_for_every_pendulum_of_the_page(mass2, length1):
    pendulum = {"mass1": 0.5, "mass2": mass2, "length1": length1, "length2": 0.5, "gravity": 20}
    errors = node(
        {
            "ask": "floor",
            "pendulum": pendulum,
            "protocol": {"starts": 10, "seconds": 10, "dt": 0.01},
        }
    )
    assert errors[0] < 5e-4


def test_each_script_can_be_read_in_one_sitting():
    scripts = (ROOT / "playground").glob("*.js")
    long = {f.name for f in scripts if len(f.read_text(encoding="utf-8").splitlines()) > 250}
    assert long == set()


# --- Links and files --------------------------------------------------------------------


def test_a_link_holds_what_is_not_as_usual_and_comes_back():
    settings = {"mass2": 2.5, "angle1": -30, "seed": 7, "features": "raw angle", "loss": "squared"}
    hash_ = node({"ask": "write", "settings": settings})[0]
    usual, back = node({"ask": "parse", "hash": ""}, {"ask": "parse", "hash": hash_})
    assert back["refused"] == []
    assert back["settings"] == usual["settings"] | settings


@pytest.mark.parametrize(
    "nonsense",
    ["mass1=-3", "steps=1000=5", "mass1=1e9", "mass1=heavy", "seed=1.5", "steps=7", "colour=red",
     "width=", "%=%", "constructor=1", "loss=toString", "gravity=NaN", "gravity=Infinity"],
)  # fmt: skip
def test_nonsense_in_a_link_is_named_and_leaves_the_usual(nonsense):
    usual, found = node(
        {"ask": "parse", "hash": ""}, {"ask": "parse", "hash": f"#{nonsense}&mass2=2"}
    )
    assert found["refused"] == [nonsense]
    assert found["settings"] == usual["settings"] | {"mass2": 2}


@pytest.mark.parametrize("name", ["as the page has it", "no offset", "raw angles", "plain"])
def test_a_saved_network_opens_in_the_package(name, tmp_path):
    settings = {"kind": "lagrangian"} | MODELS[name] | {"pendulum": PENDULUMS[1]}
    rate = rate_of(systems.DoublePendulum(**PENDULUMS[1]))
    expected = package_model(settings, rate)
    params = expected.init(jax.random.key(5))
    numbers = flat(params).astype(np.float32)
    file = tmp_path / "mine.npz"
    packed = node({"ask": "pack", "settings": settings, "parameters": numbers.tolist()})[0]
    file.write_bytes(base64.b64decode(packed))
    assert zipfile.ZipFile(file).testzip() is None
    model, loaded = store.load_model(str(file))
    assert flat(loaded).tolist() == numbers.tolist()
    q, v = jnp.array([0.4, -1.0]), jnp.array([1.0, 2.0])
    again = model.acceleration(jax.tree.map(lambda x: x.astype(float), loaded), q, v)
    rounded = jax.tree.map(lambda x: jnp.asarray(x, jnp.float32).astype(float), params)
    np.testing.assert_allclose(again, expected.acceleration(rounded, q, v), rtol=1e-12)
