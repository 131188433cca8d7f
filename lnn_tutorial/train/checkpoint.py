"""A run that is written down after each chunk, and goes on from there if it is the same run."""

import json
import re

import jax
import numpy as np

from lnn_tutorial import store

CHECKPOINT = "checkpoint.npz"
"""The file, in the folder of a run, from which `fit` resumes."""


def as_json(configuration):
    """A configuration as it will come back from a checkpoint."""
    if not isinstance(configuration, (dict, type(None))):
        got = type(configuration).__name__
        raise TypeError(f"expected configuration to be a dict or None, got {got}")
    try:
        return json.loads(json.dumps(configuration or {}, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise TypeError(f"expected a configuration that JSON can hold: {error}") from error


def constants(program):
    """The constants of a traced program, with those of the compiled functions that it calls."""
    found = list(getattr(program, "consts", ()))
    for equation in getattr(program, "jaxpr", program).eqns:
        for inner in jax.tree.leaves(equation.params, is_leaf=lambda x: hasattr(x, "eqns")):
            found += constants(inner) if hasattr(inner, "eqns") else []
    return found


def digest(tree, program=""):
    """A checksum of the arrays of a pytree, and of a traced program that they are constants of."""
    # How a function without a name prints depends on where in memory it lies.
    text = re.sub("0x[0-9a-f]+", "", str(program))
    return store._checksum(store._leaves(tree, _numbers), text)


def _numbers(x):
    """An array as NumPy has it, of random keys their data."""
    random = jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key)
    return np.asarray(jax.random.key_data(x) if random else x)


def resume(path, made, made_by):
    header = store.read_header(path)
    nested = ("configuration", "digests")
    facts = [(name, header.get(name), made_by[name]) for name in made_by if name not in nested]
    theirs, ours = (made.get("configuration", {}) for made in (header, made_by))
    facts += [(name, theirs.get(name), ours.get(name)) for name in {**theirs, **ours}]
    for name, found, expected in facts:
        if found != expected:
            raise store.StoreError(
                f"{path}: of another run: its {name} is {found!r}, this run's is {expected!r}"
            )
    for name, expected in made_by["digests"].items():
        if header.get("digests", {}).get(name) != expected:
            raise store.StoreError(f"{path}: of another run: its {name} are not this run's")
    made, _ = store.load(path, made)
    held_out = None if made.held_out is None else np.array(made.held_out)
    made = made._replace(losses=np.array(made.losses), held_out=held_out)
    return made, header["done"], header["seconds"]
