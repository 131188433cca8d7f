"""Files come back to the last bit, and a bad file is named with what is wrong with it."""

import os
import warnings
import zipfile
from contextlib import nullcontext
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lnn_tutorial import features, integrate, models, store, systems

TREE = {"layers": [{"w": jnp.arange(6.0).reshape(2, 3)}, {"w": jnp.ones(4, jnp.int32)}], "t": 1.5}
TREE = jax.tree.map(jnp.asarray, TREE)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "deep" / "file.npz"
    store.save(path, TREE, {"trained by": "a test", "figure": 0.5})
    return path


def test_a_tree_and_its_header_come_back(saved):
    tree, header = store.load(saved, jax.tree.map(jnp.zeros_like, TREE))
    assert jax.tree.structure(tree) == jax.tree.structure(TREE)
    for a, b in zip(jax.tree.leaves(tree), jax.tree.leaves(TREE), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype
    assert header["trained by"] == "a test"
    assert header["figure"] == 0.5
    assert header["versions"]["jax"] == jax.__version__
    assert store.read_header(saved) == header


@given(hnp.arrays(np.float32, hnp.array_shapes(max_dims=3), elements=st.floats(width=32)))
def test_any_float_comes_back_bit_by_bit(tmp_path_factory, array):
    path = tmp_path_factory.mktemp("floats") / "x.npz"
    store.save(path, [array])
    (back,), _ = store.load(path, [array])
    assert np.asarray(back).tobytes() == array.tobytes()


def test_shapes_alone_are_enough_to_load(saved):
    like = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), TREE)
    tree, _ = store.load(saved, like)
    np.testing.assert_array_equal(tree["layers"][0]["w"], TREE["layers"][0]["w"])


def test_a_file_is_as_readable_as_any_other(saved, tmp_path):
    (tmp_path / "plain").touch()
    assert saved.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_no_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.npz"):
        store.load(tmp_path / "nothing.npz", TREE)


@pytest.mark.parametrize("keep", [0, 1, 10, 100, 0.5, 0.9, -1])
def test_a_truncated_file_is_refused(saved, keep):
    data = saved.read_bytes()
    saved.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(store.StoreError, match=r"file\.npz: damaged or truncated"):
        store.load(saved, TREE)


def test_no_flipped_byte_passes(saved):
    """Every single byte of the file, flipped, either is refused or changes nothing that is read."""
    data = saved.read_bytes()
    whole = store.load(saved, TREE)
    refused = 0
    for k in range(0, len(data), 7):
        saved.write_bytes(data[:k] + bytes([data[k] ^ 0xFF]) + data[k + 1 :])
        try:
            tree, header = store.load(saved, TREE)
        except store.StoreError:
            refused += 1
        else:
            assert header == whole[1]
            for a, b in zip(jax.tree.leaves(tree), jax.tree.leaves(TREE), strict=True):
                np.testing.assert_array_equal(a, b)
    assert refused > 20


def test_a_changed_number_is_caught_by_the_checksum(saved, tmp_path):
    with np.load(saved) as archive:
        arrays = dict(archive)
    arrays["['layers'][0]['w']"][0, 0] += 1
    other = tmp_path / "changed.npz"
    np.savez(other, **arrays)
    with pytest.raises(store.StoreError, match=r"changed\.npz: damaged: the checksum"):
        store.load(other, TREE)


@pytest.mark.parametrize(
    "write",
    [
        lambda f: f.write(b"hello, this is no archive"),
        lambda f: np.savez(f, x=np.ones(3)),
        lambda f: np.savez(f, **{"header.json": np.frombuffer(b"[1]", np.uint8)}),
        lambda f: np.savez(f, **{"header.json": np.frombuffer(b"{not json", np.uint8)}),
        lambda f: np.savez(f, **{"header.json": np.frombuffer(b'{"format": "x"}', np.uint8)}),
        lambda f: np.save(f, np.ones(3)),
        lambda f: zipfile.ZipFile(f, "w").writestr("a.txt", "no array"),
        lambda f: np.savez(f, x=np.array([{"an": "object"}], dtype=object)),
    ],
)
def test_a_foreign_file_is_refused(tmp_path, write):
    path = tmp_path / "foreign.npz"
    with open(path, "wb") as file:
        write(file)
    with pytest.raises(store.StoreError, match=r"foreign\.npz: (not|damaged)"):
        store.load(path, TREE)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(store.StoreError, match="damaged or truncated, or no"):
        store.load(tmp_path, TREE)


def test_another_structure_is_refused_and_the_difference_named(saved):
    with pytest.raises(store.StoreError, match=r"missing \[\"\['u'\]\"\]"):
        store.load(saved, {**TREE, "u": jnp.ones(1)})
    wrong = {**TREE, "t": jnp.ones(2)}
    with pytest.raises(store.StoreError, match=r"expected float32\[2\] at \['t'\]"):
        store.load(saved, wrong)


@pytest.mark.parametrize("leaf", ["text", jax.random.key(0), np.array([object()])])
def test_what_is_no_number_is_not_written(tmp_path, leaf):
    with pytest.raises(TypeError, match="expected numeric arrays"):
        store.save(tmp_path / "x.npz", {"a": leaf})
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_file_and_no_rubbish(saved):
    before = saved.read_bytes()

    def half(file):
        file.write(b"half of it")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        store.write_atomically(saved, half)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]


def test_a_header_must_be_json(tmp_path):
    with pytest.raises((TypeError, ValueError)):
        store.save(tmp_path / "x.npz", TREE, {"f": float("nan")})
    with pytest.raises(TypeError):
        store.save(tmp_path / "x.npz", TREE, {"f": object()})
    assert list(tmp_path.iterdir()) == []


# --- Models ------------------------------------------------------------------------------------

FACE = {"dim": 2, "angles": (False, True), "velocity_scale": (2.0, 5.0), "width": 4, "depth": 1}
MODELS = [
    models.LNN(**FACE, position_scale=1.5, initialisation="eq16", kinetic_offset=False),
    models.PlainNetwork(**FACE, acceleration_scale=(3.0, 4.0), angle_features="wrapped"),
    models.HNN(**FACE, momenta_of=systems.DoublePendulum(mass2=3.0)),
    models.HNN(dim=1, context=1, velocity_features="rapidity", momenta_of=systems.PaperParticle()),
    models.DeLaN(**FACE),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
def test_a_model_and_its_parameters_come_back_bit_by_bit(tmp_path, model):
    params = model.init(jax.random.key(0))
    store.save_model(tmp_path / "m.npz", model, params, {"steps": 7})
    for name in (tmp_path / "m.npz", str(tmp_path / "m.npz")):
        again, found = store.load_model(name)
        assert again == model and type(again) is type(model)
        assert hash(again) == hash(model)  # tuples are tuples again
        for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(params), strict=True):
            assert np.asarray(a).tobytes() == np.asarray(b).tobytes()
    assert store.read_header(tmp_path / "m.npz")["steps"] == 7


def test_what_is_shipped_is_known_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "SHIPPED", tmp_path)
    for name in ("swing", "fall"):
        store.save_model(tmp_path / f"{name}.npz", MODELS[0], MODELS[0].init(jax.random.key(0)))
    (tmp_path / "table.json").write_text("{}")
    assert store.shipped_models() == ["fall", "swing"]
    assert store.load_model("swing")[0] == MODELS[0]
    with pytest.raises(ValueError, match="unknown model 'spin'; known are: fall, swing"):
        store.load_model("spin")


def test_every_shipped_model_loads():
    for name in store.shipped_models():
        model, params = store.load_model(name)
        assert isinstance(model, models.Model)
        assert all(bool(jnp.isfinite(x).all()) for x in jax.tree.leaves(params))


def test_a_file_without_a_model_is_refused(saved):
    with pytest.raises(
        store.StoreError, match=r"file\.npz: holds no model that this version knows"
    ):
        store.load_model(saved)
    with pytest.raises(FileNotFoundError, match=r"nothing\.npz"):
        store.load_model(saved.parent / "nothing.npz")
    saved.write_bytes(saved.read_bytes()[:100])
    with pytest.raises(store.StoreError, match=r"file\.npz: damaged or truncated"):
        store.load_model(saved)


@pytest.mark.parametrize(
    "description",
    [
        {"kind": "GNN", "arguments": {"dim": 2}},
        {"kind": "Model", "arguments": {"dim": 2}},
        {"kind": "LNN", "arguments": {"dim": 2, "colour": "blue"}},
        {"kind": "LNN", "arguments": {"dim": 2, "activation": "softmax"}},
        {"kind": "LNN", "arguments": {"dim": 0}},
        {"kind": "LNN", "arguments": {"dim": 2, "velocity_scale": "fast"}},
        {"kind": "LNN", "arguments": {}},
        {"kind": "LNN", "arguments": [2]},
        {"kind": ["LNN"], "arguments": {"dim": 2}},
        {"kind": "LNN"},
        "LNN",
        None,
    ],
    ids=str,
)
def test_a_model_that_this_version_does_not_know_is_refused(tmp_path, description):
    path = tmp_path / "foreign.npz"
    store.save(path, {}, {"model": description})
    with pytest.raises(store.StoreError, match=r"foreign\.npz: holds no model that this version"):
        store.load_model(path)


def test_parameters_that_do_not_fit_the_model_are_refused_before_and_after(tmp_path):
    params, path = MODELS[1].init(jax.random.key(0)), tmp_path / "m.npz"
    with pytest.raises(ValueError, match=r"params: expected float32\[.* found float32"):
        store.save_model(path, MODELS[0], params)
    assert list(tmp_path.iterdir()) == []
    store.save_model(path, MODELS[1], params)
    described = store.read_header(path)["model"]
    described["arguments"]["width"] += 1
    store.save(path, params, {"model": described})
    with pytest.raises(store.StoreError, match=r"m\.npz: expected float32\[.* found float32"):
        store.load_model(path)


def test_a_file_is_a_path_with_its_ending_when_written_as_when_read(tmp_path):
    """`save_model("model")` would write what `load_model("model")` takes for a shipped name."""
    model = MODELS[0]
    for path in ("model", tmp_path / "model", tmp_path / "model.json"):
        with pytest.raises(ValueError, match=r"path of a file, \*\.npz, got '.*model"):
            store.save_model(path, model, model.init(jax.random.key(0)))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match=r"unknown model 'model'; .* a file is \*\.npz"):
        store.load_model("model")


@pytest.mark.parametrize("saved_in", ["float32", "float64"])
@pytest.mark.parametrize("read_in", ["float32", "float64"])
def test_parameters_keep_their_precision_whatever_jax_computes_in(tmp_path, saved_in, read_in):
    """To the last bit, and no rounding on the way in: 1/3 has more digits than float32 holds."""
    blocks = {"float32": nullcontext, "float64": integrate.double_precision}
    path = tmp_path / "m.npz"
    with blocks[saved_in]():
        params = jax.tree.map(lambda x: x + 1 / 3, MODELS[0].init(jax.random.key(0)))
        store.save_model(path, MODELS[0], params)
    with blocks[read_in](), warnings.catch_warnings(action="error"):
        _, found = store.load_model(path)
        exactly, _ = store.load(path, params)
    for a, b, c in zip(*map(jax.tree.leaves, (params, found, exactly)), strict=True):
        assert b.dtype == c.dtype == saved_in
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes() == np.asarray(c).tobytes()
    with integrate.double_precision():
        assert MODELS[0].energy(found, np.ones(2), np.ones(2)).dtype == "float64"


def test_members_come_back_together(tmp_path):
    """Parameters stacked along one axis in front; two axes are none of ours."""
    model = MODELS[0]
    members = jax.vmap(model.init)(jax.random.split(jax.random.key(0), 3))
    store.save_model(tmp_path / "m.npz", model, members)
    _, found = store.load_model(tmp_path / "m.npz")
    assert jax.tree.all(jax.tree.map(np.array_equal, found, members))
    for wrong in (
        jax.tree.map(lambda x: x[None], members),
        [members[0], *model.init(jax.random.key(0))[1:]],
    ):
        with pytest.raises(ValueError, match=r"params: expected float32\["):
            store.save_model(tmp_path / "m.npz", model, wrong)


# --- Classes of one's own ----------------------------------------------------------------------


@store.register
@dataclass(frozen=True)
class Balloon(systems.System):
    """Rises evenly."""

    lift: float = 1.0
    dim = 1
    angles = (False,)

    def lagrangian(self, q, q_dot):
        return 0.5 * q_dot @ q_dot + self.lift * q[0]


@store.register
@dataclass(frozen=True)
class Stretched:
    """A feature of one's own."""

    by: float

    def __call__(self, x):
        return self.by * x


@store.register
class Softer(models.LNN):
    """A model of one's own, without arguments of its own."""


def test_registered_systems_features_and_models_come_back(tmp_path):
    path = tmp_path / "own.npz"
    for model in (
        models.HNN(dim=1, width=4, depth=1, momenta_of=Balloon(np.float32(0.5))),
        Softer(dim=2, width=4, depth=1, position_features=features.Together((Stretched(2.0),))),
    ):
        store.save_model(path, model, model.init(jax.random.key(0)))
        assert store.load_model(path)[0] == model


def test_a_file_of_a_class_that_is_not_there_says_so(tmp_path, monkeypatch):
    model = Softer(dim=2, width=4, depth=1)
    store.save_model(tmp_path / "own.npz", model, model.init(jax.random.key(0)))
    monkeypatch.delitem(store._KINDS, "Softer")
    with pytest.raises(
        store.StoreError, match="no class 'Softer' is known; one's own is to be reg"
    ):
        store.load_model(tmp_path / "own.npz")


@dataclass(frozen=True)
class Unregistered(systems.HarmonicOscillator):
    """Has no name in a file."""


class Shadow(models.LNN):
    """Has the name of another."""


Shadow.__name__ = "LNN"


@dataclass(frozen=True)
class Changing(models.LNN):
    """Made again from its arguments it is another."""

    shift: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        self._settle("shift", self.shift + 1.0)


store.register(Changing)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            models.HNN(dim=1, momenta_of=Unregistered()),
            r"HNN\.momenta_of of a class that a file can",
        ),
        (Shadow(dim=2), "LNN of a class that a file can name, got LNN: put @store.register"),
        (
            models.LNN(dim=2, position_features=features.Then((features.Scaled(2.0), jnp.sin))),
            r"LNN\.position_features\.parts to be something that a file can hold, got the function",
        ),
        (
            models.LNN(dim=2, position_features=Stretched(np.ones(2))),
            r"LNN\.position_features\.by to be something that a file can hold, got \[1",
        ),
        (
            models.LNN(dim=2, position_features=Stretched(float("inf"))),
            r"position_features\.by to be something that a file can hold, got inf",
        ),
        (Changing(dim=2), "a model that its arguments make again"),
    ],
)
def test_what_could_not_be_loaded_is_refused_when_it_is_saved(tmp_path, model, message):
    with pytest.raises(TypeError, match=message):
        store.save_model(tmp_path / "m.npz", model, model.init(jax.random.key(0)))
    assert list(tmp_path.iterdir()) == []


def test_only_models_are_written_as_models(tmp_path):
    with pytest.raises(TypeError, match=r"expected a model of lnn_tutorial\.models, got Stretched"):
        store.save_model(tmp_path / "m.npz", Stretched(1.0), {})


def test_two_classes_of_one_name_are_refused_and_the_same_one_may_be_defined_again():
    def defined():
        @store.register
        @dataclass(frozen=True)
        class Again:
            pass

        return Again

    first = defined()
    assert store.register(first) is first
    assert defined() is not first  # as where a cell of a notebook is run twice
    for name in ("LNN", "Pendulum", "Scaled", "Balloon"):
        with pytest.raises(ValueError, match=f"a name of its own for .*: '{name}' is "):
            store.register(dataclass(frozen=True)(type(name, (), {"__module__": "elsewhere"})))


@pytest.mark.parametrize("thing", [len, object, Stretched(1.0), dataclass(type("Soft", (), {}))])
def test_only_frozen_dataclasses_can_be_registered(thing):
    with pytest.raises(TypeError, match="expected a frozen dataclass to register, got"):
        store.register(thing)


def test_an_argument_that_this_version_does_not_know_is_named(tmp_path):
    path = tmp_path / "later.npz"
    arguments = {"dim": 2, "position_features": {"kind": "Scaled", "arguments": {"unit": "m"}}}
    store.save(path, {}, {"model": {"kind": "LNN", "arguments": arguments}})
    with pytest.raises(store.StoreError, match="Scaled has no argument unit"):
        store.load_model(path)


def test_numbers_are_rounded_and_what_json_cannot_hold_is_nothing():
    found = {"a": [1.23456789, float("inf"), 7], "b": {"c": float("nan")}, "d": "e"}
    assert store.for_json(found, 4) == {"a": [1.235, None, 7], "b": {"c": None}, "d": "e"}
    assert store.for_json(found)["a"] == [1.23456789, None, 7]
