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
from pathlib import Path

import jax
import numpy as np

import lnn_tutorial
from lnn_tutorial import _inputs, models, systems

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
    expected = _leaves(like, np.shape)
    if expected.keys() != arrays.keys():
        missing, surplus = expected.keys() - arrays.keys(), arrays.keys() - expected.keys()
        raise StoreError(
            f"{path}: holds another structure: "
            f"missing {sorted(missing) or 'nothing'}, surplus {sorted(surplus) or 'nothing'}"
        )
    leaves, structure = jax.tree.flatten(like)
    for (name, shape), leaf in zip(expected.items(), leaves, strict=True):
        found = arrays[name]
        if found.shape != shape or found.dtype != leaf.dtype:
            raise StoreError(
                f"{path}: expected {leaf.dtype}{list(shape)} at {name}, "
                f"found {found.dtype}{list(found.shape)}"
            )
    return jax.tree.unflatten(structure, [jax.numpy.asarray(arrays[k]) for k in expected]), header


def read_header(name):
    """The header of a file written by `save`, by path or shipped name; raises as `load_model`."""
    return _read(_path(name))[1]


def save_model(path, model, params, header=None):
    """Write a model with its parameters: as `save`, with the model's arguments in the header.

    Args:
        path: the file.
        model: a model of `models`.
        params: its parameters.
        header: dict that JSON can hold.
    """
    if type(model).__name__ not in _kinds(models, models.Model):
        raise TypeError(f"expected a model of lnn_tutorial.models, got {type(model).__name__}")
    save(path, params, {**(header or {}), "model": _described(model)})


def _described(value):
    """A model or a system as JSON can hold it: its kind and its arguments."""
    if not dataclasses.is_dataclass(value):
        return value
    arguments = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    described = {name: _described(argument) for name, argument in arguments.items()}
    return {"kind": type(value).__name__, "arguments": described}


def _made(description, module, base):
    """What `_described` has described: a model, or the system among its arguments."""

    def argument(value):
        if isinstance(value, dict):
            return _made(value, systems, systems.System)
        return tuple(value) if isinstance(value, list) else value

    arguments = {name: argument(value) for name, value in description["arguments"].items()}
    return _kinds(module, base)[description["kind"]](**arguments)


def load_model(name):
    """A trained model: one that comes with the package by its name, another one by its path.

    Args:
        name: a name in `shipped_models()`, or the path of a file written by `save_model`.

    Returns:
        `(model, params)`; `read_header` tells what trained it.

    Raises:
        ValueError: a name that nothing was shipped under; the message lists those there are.
        FileNotFoundError, StoreError: as `load`, or the file holds no model.
    """
    path = _path(name)
    header = read_header(path)
    try:
        model = _made(header["model"], models, models.Model)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"{path}: holds no model that this version knows ({error!r})") from error
    like = jax.eval_shape(model.init, jax.random.key(0))
    return model, load(path, like)[0]


def shipped_models():
    """The names of the trained models that come with the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.npz"))


def _path(name):
    """The path of a shipped model by its name, or of a file by its path."""
    if isinstance(name, Path) or Path(name).suffix == ".npz":
        return Path(name)
    _inputs.choice("model", name, shipped_models())
    return SHIPPED / f"{name}.npz"


def _kinds(module, base):
    found = (x for x in vars(module).values() if isinstance(x, type))
    return {x.__name__: x for x in found if issubclass(x, base) and x is not base}


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


def _checksum(arrays):
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
