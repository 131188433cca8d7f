"""Parameters to and from disk: arrays as `.npz`, what made them as a JSON header, never pickle.

A file holds the leaves of one pytree under their paths, and a header with whatever the writer wants
remembered (what trained it, figures) beside the versions and a checksum that `save` adds. A file is
written under a temporary name and then renamed, so that a name never stands for half a file.
"""

import dataclasses
import hashlib
import json
import math
import os
from contextlib import nullcontext
from pathlib import Path

import jax
import numpy as np

import lnn_tutorial
from lnn_tutorial import features, integrate, models, systems

FORMAT = "lnn_tutorial 1"
SHIPPED = Path(__file__).parent / "shipped"
"""The folder with the trained models and the tables of results that come with the package."""
_HEADER = "header.json"


class StoreError(ValueError):
    """A file that cannot be used; the message names the file and what is wrong with it."""


def save(path, tree, header=None):
    """Write a pytree of arrays and a header, atomically.

    Args:
        path: the file, by convention `*.npz`; its folder is made if need be.
        tree: pytree of numeric arrays.
        header: dict that JSON can hold.

    Raises:
        TypeError: a leaf that is not a numeric array, or a header that JSON cannot hold.
    """
    for keys, leaf in jax.tree.leaves_with_path(tree):
        kind = leaf.dtype if hasattr(leaf, "dtype") else np.asarray(leaf).dtype
        if not isinstance(kind, np.dtype) or kind.kind not in "biuf":
            name = jax.tree_util.keystr(keys) or "the root"
            raise TypeError(f"expected numeric arrays, got {kind} at {name}")
    arrays = _leaves(tree)
    header = {
        **(header or {}),
        "format": FORMAT,
        "versions": {"lnn_tutorial": lnn_tutorial.__version__, "jax": jax.__version__},
        "checksum": _checksum(arrays),
    }
    text = json.dumps(header, indent=1, allow_nan=False)
    write_atomically(
        path,
        lambda file: np.savez(file, **{_HEADER: np.frombuffer(text.encode(), np.uint8)}, **arrays),
    )


def load(path, like):
    """Read a pytree and its header back.

    Args:
        path: a file written by `save`.
        like: a pytree of the same structure, shapes and dtypes, such as `model.init(key)`; its
            leaves may be `jax.ShapeDtypeStruct`.

    Returns:
        `(tree, header)`.

    Raises:
        FileNotFoundError: no such file.
        StoreError: a damaged, truncated or foreign file, or one that holds another structure.
    """
    arrays, header = _read(path)
    return _filled(path, like, arrays), header


def read_header(name):
    """The header of a file written by `save`, by path or shipped name; raises as `load_model`."""
    return _read(_path(name))[1]


def register(kind):
    """Let a class of one's own be saved as a model, or as part of one: a decorator.

    A file holds the name and the arguments of what it was made of, no code. So the class has to be
    defined and registered again before such a file is loaded::

        @store.register
        @dataclass(frozen=True)
        class Balloon(systems.System):
            ...

    Args:
        kind: a frozen dataclass: a model, a system, a feature, a force.

    Returns:
        The class itself.

    Raises:
        TypeError: anything else.
        ValueError: another class has this name. The same definition, run once more, replaces it.
    """
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        raise TypeError(f"expected a frozen dataclass to register, got {kind!r}")
    if not kind.__dataclass_params__.frozen:
        raise TypeError(f"expected a frozen dataclass to register, got {kind.__name__}, not frozen")
    known = _KINDS.setdefault(kind.__name__, kind)
    if (known.__module__, known.__qualname__) != (kind.__module__, kind.__qualname__):
        raise ValueError(
            f"expected a name of its own for {kind.__module__}.{kind.__qualname__}: "
            f"{kind.__name__!r} is {known.__module__}.{known.__qualname__}"
        )
    _KINDS[kind.__name__] = kind
    return kind


_KINDS = {}
"""The classes that a file may name."""

for _module in (systems, features, models):
    for _kind in vars(_module).values():
        if isinstance(_kind, type) and dataclasses.is_dataclass(_kind):
            register(_kind)
for _kind in ("Model", "FromLagrangian", "Friction"):  # what they leave open is no model
    del _KINDS[_kind]


def save_model(path, model, params, header=None):
    """Write a model with its parameters: as `save`, with the model's arguments in the header.

    Args:
        path: the file, `*.npz`.
        model: a model of `models`, or of one's own, see `register`.
        params: its parameters; of several members, if stacked along a leading axis.
        header: dict that JSON can hold.

    Raises:
        TypeError: a model that could not be loaded again; the message names the argument.
        ValueError: a path without `.npz`, parameters that are not the model's.
    """
    if Path(path).suffix != ".npz":
        raise ValueError(f"expected the path of a file, *.npz, got {str(path)!r}")
    if not isinstance(model, models.Model):
        raise TypeError(f"expected a model of lnn_tutorial.models, got {type(model).__name__}")
    description = _described(model, type(model).__name__)
    try:
        again = _described(_made(description), type(model).__name__)
    except Exception as error:
        raise TypeError(f"expected a model that its arguments make again: {error}") from error
    if again != description:
        raise TypeError(f"expected a model that its arguments make again, got {again}")
    _filled("params", _expected(model), _leaves(params), exactly=False)
    save(path, params, {**(header or {}), "model": description})


def _described(value, where):
    """A model, or what is among its arguments, as JSON can hold it: its kind and its arguments."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind = type(value)
        if _KINDS.get(kind.__name__) is not kind:
            raise TypeError(
                f"expected {where} of a class that a file can name, got {kind.__name__}: "
                "put @store.register above its definition"
            )
        arguments = [field.name for field in dataclasses.fields(value) if field.init]
        return {
            "kind": kind.__name__,
            "arguments": {n: _described(getattr(value, n), f"{where}.{n}") for n in arguments},
        }
    if isinstance(value, tuple):
        return [_described(entry, where) for entry in value]
    if isinstance(value, (np.generic, np.ndarray, jax.Array)) and value.ndim == 0:
        value = value.item()
    if value is None or isinstance(value, (int, str)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    got = f"the function {value}: let it be a registered dataclass" if callable(value) else value
    raise TypeError(f"expected {where} to be something that a file can hold, got {got}")


def _made(description):
    """What `_described` has described."""
    if isinstance(description, list):
        return tuple(_made(entry) for entry in description)
    if not isinstance(description, dict):
        return description
    kind, arguments = description["kind"], description["arguments"]
    if kind not in _KINDS:
        raise ValueError(f"no class {kind!r} is known; one's own is to be registered first")
    accepted = {field.name for field in dataclasses.fields(_KINDS[kind]) if field.init}
    if set(arguments) - accepted:
        raise ValueError(f"{kind} has no argument {', '.join(sorted(set(arguments) - accepted))}")
    return _KINDS[kind](**{name: _made(value) for name, value in arguments.items()})


def load_model(name):
    """A trained model: one that comes with the package by its name, another one by its path.

    The parameters keep the precision that they were saved in, whatever JAX computes in. Float64
    outside of float64 mode is for `with integrate.double_precision()`: elsewhere JAX rounds what
    it computes from it, with a warning.

    Args:
        name: a name in `shipped_models()`, or the path `*.npz` of a file written by `save_model`.

    Returns:
        `(model, params)`; `read_header` tells what trained it.

    Raises:
        ValueError: a name that nothing was shipped under; the message lists those there are.
        FileNotFoundError, StoreError: as `load`; or the file holds no model, or one of a class that
            is not known here (see `register`) or has other arguments.
    """
    path = _path(name)
    arrays, header = _read(path)
    try:
        model = _made(header["model"])
        if not isinstance(model, models.Model):
            raise TypeError(f"a {type(model).__name__} is no model")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"{path}: holds no model that this version knows ({error!r})") from error
    return model, _filled(path, _expected(model), arrays, exactly=False)


def _expected(model):
    return jax.eval_shape(model.init, jax.random.key(0))


def _filled(where, like, arrays, exactly=True):
    """The arrays, by path, in the structure of `like`.

    Not exactly: in any precision, and with one more axis in front, the same for all.
    """
    expected, stacked = _leaves(like, lambda leaf: leaf), set()
    if expected.keys() != arrays.keys():
        missing, surplus = expected.keys() - arrays.keys(), arrays.keys() - expected.keys()
        raise StoreError(
            f"{where}: holds another structure: "
            f"missing {sorted(missing) or 'nothing'}, surplus {sorted(surplus) or 'nothing'}"
        )
    for name, leaf in expected.items():
        found, shape = arrays[name], np.shape(leaf)
        front = found.shape[: found.ndim - len(shape)]
        stacked.add(front)
        if exactly:
            fits = found.dtype == leaf.dtype and not front
        else:
            fits = found.dtype.kind == leaf.dtype.kind and len(front) < 2 and len(stacked) == 1
        if not fits or found.shape != front + shape:
            raise StoreError(
                f"{where}: expected {leaf.dtype}{list(shape)} at {name}, "
                f"found {found.dtype}{list(found.shape)}"
            )
    return jax.tree.unflatten(jax.tree.structure(like), [_kept(arrays[k]) for k in expected])


def _kept(array):
    """A JAX array of the same precision, also of one that JAX would round in its present mode."""
    with integrate.double_precision() if array.dtype.itemsize == 8 else nullcontext():
        return jax.numpy.asarray(array)


def shipped_models():
    """The names of the trained models that come with the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.npz"))


def _path(name):
    """The path of a shipped model by its name, or of a file by its path."""
    if isinstance(name, Path) or Path(name).suffix == ".npz":
        return Path(name)
    if name not in shipped_models():
        known = ", ".join(shipped_models())
        raise ValueError(f"unknown model {name!r}; known are: {known}; the path of a file is *.npz")
    return SHIPPED / f"{name}.npz"


def for_json(found, digits=None):
    """Figures as JSON can hold them: None for a float that is not finite, which it has no word for.

    Args:
        found: dicts and lists of figures, to any depth.
        digits: to how many significant digits floats are rounded, by default not at all.
    """
    if isinstance(found, dict):
        return {key: for_json(value, digits) for key, value in found.items()}
    if isinstance(found, list):
        return [for_json(value, digits) for value in found]
    if isinstance(found, float):
        if not math.isfinite(found):
            return None
        return found if digits is None else float(f"{found:.{digits}g}")
    return found


def write_atomically(path, write):
    """Call `write(file)` on a temporary file beside `path`, then rename it to `path`."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(temporary, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _read(path):
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise
    except Exception as error:  # a broken archive makes its reader raise almost anything
        raise StoreError(f"{path}: damaged or truncated, or no .npz file ({error})") from error
    try:
        header = json.loads(arrays.pop(_HEADER).tobytes())
    except (KeyError, ValueError) as error:
        raise StoreError(f"{path}: not written by lnn_tutorial: no header ({error})") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise StoreError(f"{path}: not of the format {FORMAT!r}")
    if header.get("checksum") != _checksum(arrays):
        raise StoreError(f"{path}: damaged: the checksum of its arrays is not the header's")
    return arrays, header


def _leaves(tree, value=np.asarray):
    return {jax.tree_util.keystr(k): value(x) for k, x in jax.tree.leaves_with_path(tree)}


def _checksum(arrays, text=""):
    """A checksum of arrays by name, and of a text."""
    digest = hashlib.sha256(text.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
