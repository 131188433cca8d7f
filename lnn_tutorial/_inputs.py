"""The door: what comes in from a caller is checked once, here, and named if it is wrong."""

import math
import numbers
import tempfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np


def array(name, x):
    """Return `x` as a JAX array, or raise and say what it was."""
    try:
        return jnp.asarray(x)
    except (TypeError, ValueError) as error:
        got = type(x).__name__ + (f" of {x.dtype}" if hasattr(x, "dtype") else "")
        raise TypeError(f"expected {name} to be an array, got {got}") from error


def vector(name, x):
    """Return `x` as a finite floating-point vector `[d]`, or raise and say what it was.

    Values can only be looked at outside of `jit`, `grad` and `vmap`; shapes and dtypes always.
    """
    x = array(name, x)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(
            f"expected {name} to hold floating-point numbers, got {x.dtype}; "
            "derivatives need real numbers: write 1.0 for 1"
        )
    if x.ndim != 1:
        raise ValueError(
            f"expected {name} of one state, shape [d], got shape {x.shape}"
            + ("; map over a batch with jax.vmap" if x.ndim > 1 else "")
        )
    if x.size == 0:
        raise ValueError(f"expected {name} with at least one coordinate, got shape {x.shape}")
    if jnp.finfo(x.dtype).bits < 32:
        raise TypeError(f"expected {name} in float32 or float64, got {x.dtype}: too few digits")
    if not is_finite(x):
        raise ValueError(f"expected {name} to be finite, got {x}")
    return x


def is_finite(x):
    # NumPy looks at the values even where `jit` would trace a question put to JAX.
    return isinstance(x, jax.core.Tracer) or bool(np.isfinite(np.asarray(x)).all())


def finite(name, x):
    """Raise unless an array is finite, naming the first row that is not; a traced one passes."""
    if not is_finite(x):
        row = int(np.argmin(np.isfinite(np.asarray(x)).reshape(len(x), -1).all(axis=1)))
        raise ValueError(f"expected {name} to be finite, got {x[row]} in row {row}")


def below(name, x, limit, why):
    """Raise unless every |entry| of a vector is below a limit; a traced one passes."""
    if not isinstance(x, jax.core.Tracer) and not bool((np.abs(np.asarray(x)) < limit).all()):
        raise ValueError(f"expected |{name}| < {limit:g}, {why}, got {x}")


def nonzero(name, x, why):
    """Raise where a vector is zero; a traced one passes."""
    if not isinstance(x, jax.core.Tracer) and not bool(np.any(np.asarray(x))):
        raise ValueError(f"expected {name} other than zero, {why}, got {x}")


def state(q, q_dot, names=("q", "q_dot")):
    """Return two vectors of one shape `[d]`: positions and velocities, or positions and momenta.

    Of two precisions the finer is taken for both.
    """
    q, q_dot = vector(names[0], q), vector(names[1], q_dot)
    if q.shape != q_dot.shape:
        raise ValueError(
            f"expected {names[0]} and {names[1]} of one shape [d], got {q.shape} and {q_dot.shape}"
        )
    dtype = jnp.result_type(q, q_dot)
    return q.astype(dtype), q_dot.astype(dtype)


def time(t, like):
    """Return a time as a scalar of the precision of `like`; a whole number will do."""
    number(t=t)
    return jnp.asarray(t, like.dtype)


def context(values, count):
    """Return `count` non-dynamical parameters as a tuple: of one vector `[count]`, empty for none.

    One number will do for one parameter.
    """
    if count == 0:
        if values is not None:
            raise ValueError("expected no context: it was made without non-dynamical parameters")
        return ()
    if values is None:
        raise ValueError(f"expected a context of {count} non-dynamical parameter(s), got none")
    found = array("context", values)
    found = vector("context", found[None] if found.ndim == 0 else found)
    if found.shape != (count,):
        raise ValueError(f"expected a context of shape ({count},), got {found.shape}")
    return (found,)


def states(q, q_dot, dim):
    """Return a batch of states `[n, dim]` as two finite floating-point arrays."""
    q, q_dot = array("q", q), array("q_dot", q_dot)
    if q.shape != q_dot.shape or q.ndim != 2 or q.shape[1] != dim or q.shape[0] == 0:
        raise ValueError(
            f"expected a batch q and q_dot of one shape [n, {dim}], got {q.shape} and {q_dot.shape}"
        )
    for name, x in (("q", q), ("q_dot", q_dot)):
        if not jnp.issubdtype(x.dtype, jnp.floating):
            raise TypeError(f"expected {name} to hold floating-point numbers, got {x.dtype}")
        if not is_finite(x):
            raise ValueError(f"expected {name} to be finite, but some entries are not")
    return q, q_dot


def positive(**values):
    """Raise unless every value is a finite number above zero."""
    for name, value in values.items():
        number(**{name: value})
        if not isinstance(value, jax.core.Tracer) and not float(value) > 0:
            raise ValueError(f"expected {name} > 0, got {value}")


def at_most(limit, **values):
    """Raise where a number is above a limit; a traced one passes."""
    for name, value in values.items():
        if not isinstance(value, jax.core.Tracer) and float(value) > limit:
            raise ValueError(f"expected {name} <= {limit:g}, got {value}")


def not_negative(**values):
    """Raise where an entry of a number or a vector is below zero; a traced one passes."""
    for name, x in values.items():
        if not isinstance(x, jax.core.Tracer) and bool((np.asarray(x) < 0).any()):
            raise ValueError(f"expected {name} >= 0, got {x}")


def number(**values):
    """Raise unless every value is a finite real number (a traced scalar passes)."""
    for name, value in values.items():
        if hasattr(value, "shape"):
            if value.shape != ():
                raise TypeError(f"expected {name} to be a number, got an array {value.shape}")
            real = jnp.issubdtype(value.dtype, jnp.floating) or jnp.issubdtype(
                value.dtype, jnp.integer
            )
        else:
            real = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not real:
            raise TypeError(f"expected {name} to be a number, got {value!r}")
        if not isinstance(value, jax.core.Tracer) and not math.isfinite(value):
            raise ValueError(f"expected {name} to be finite, got {value}")


def scale(name, value, n=None, check=None):
    """Return typical values as a float or a tuple of floats, or raise.

    One number stands for all entries; a tuple, list or array has one for each of `n`. Each must
    pass the check, by default `positive`; a traced value passes as it is.
    """
    check = check or positive
    if isinstance(value, jax.core.Tracer):
        return value
    if not isinstance(value, (tuple, list)) and np.ndim(value) == 0:
        return _float(name, value, check)
    return tuple(_float(name, entry, check) for entry in sequence(name, value, n))


def _float(name, value, check):
    check(**{name: value})
    return value if isinstance(value, jax.core.Tracer) else float(value)


def sequence(name, value, n=None):
    """Return a tuple, list or vector as a tuple of its entries; of `n` entries, if `n` is given."""
    if not isinstance(value, (tuple, list)) and np.ndim(value) != 1:
        got = f"an array {value.shape}" if hasattr(value, "shape") else repr(value)
        raise TypeError(f"expected {name} to be a tuple, got {got}")
    if len(value) == 0 or n not in (None, len(value)):
        raise ValueError(f"expected {n or 'some'} entries in {name}, got {value}")
    return tuple(value)


def flags(name, value, n=None):
    """Return a tuple, list or vector of True and False as a tuple of bool, or raise."""
    value = sequence(name, value, n)
    for flag in value:
        if flag not in (0, 1):
            raise TypeError(f"expected {name} to hold True and False only, got {value}")
    return tuple(bool(flag) for flag in value)


def whole(name, value, minimum=1):
    """Return a whole number of at least `minimum` as an int, or raise."""
    count(minimum, **{name: value})
    return int(value)


def count(minimum=1, **values):
    """Raise unless every value is a whole number of at least `minimum`."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise TypeError(f"expected {name} to be a whole number, got {value!r}")
        if value < minimum:
            raise ValueError(f"expected {name} >= {minimum}, got {value}")


def frames(seconds, frame):
    """How many frames a time has, or raise: a whole number of them, and at least one."""
    positive(seconds=seconds, frame=frame)
    found = round(seconds / frame)
    if found < 1 or abs(seconds / frame - found) > 1e-6 * found:
        raise ValueError(f"expected a whole number of frames, got {seconds} s of {frame} s each")
    return found


def choice(name, value, known):
    """Raise unless `value` is one of the `known` names; the message lists them."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"unknown {name} {value!r}; known are: {', '.join(sorted(known))}")


def function(name, value):
    """Raise unless `value` can be called."""
    if not callable(value):
        raise TypeError(f"expected {name} to be a function, got {type(value).__name__}")


def like_q(name, field):
    """`field(q, …)`, with a clear error where it does not return a real vector like `q`."""

    def checked(q, *state):
        found = field(q, *state)
        got = getattr(found, "shape", type(found).__name__)
        if got != q.shape:
            raise ValueError(f"expected {name} to return q's shape {q.shape}, got {got}")
        if jnp.iscomplexobj(found):
            raise TypeError(f"expected {name} to return real numbers, got {found.dtype}")
        return found

    return checked


def seed(value):
    """Return a seed; raise unless it is a whole number that JAX tells from every other."""
    count(0, seed=value)
    if value >= 2**32:
        raise ValueError(f"expected seed < 2**32, got {value}: JAX would take it modulo 2**32")
    return value


def folder(name, path):
    """Return the `Path` of a folder, made if need be; raise unless files can be written in it."""
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise ValueError(
            f"expected {name} to be a folder that can be written, got {path}: {error.strerror}"
        ) from error


def file(name, path):
    """Return the `Path` of a file, its folder made if need be; raise unless it can be written."""
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"expected {name} to be a file, got the folder {path}")
    folder(f"the folder of {name}", path.parent)
    return path
