"""What `python -m lnn_tutorial learn` is asked for: its options, and the table that they mean."""

import argparse
from pathlib import Path

from lnn_tutorial import _inputs, data, store
from lnn_tutorial.learning.plans import MODELS

CAMERA = store.SHIPPED / "camera.csv"
"""The simulated camera table of `learn --demo`, made by `scripts/make_camera_table.py`."""

DEMO = {
    "time": "t",
    "positions": ("theta1", "theta2"),
    "angles": ("theta1", "theta2"),
    "trajectory": "throw",
}
"""How the camera table is read."""

COLUMNS = {
    "positions": "columns of the coordinates",
    "angles": "which of these are angles, in radians",
    "velocities": "columns of their velocities, in the same order",
    "torques": "columns of generalised forces from outside, in the same order",
    "context": "columns of what does not change along a motion",
}


OUTPUTS = (".npz", ".json", ".png")
"""What is written: the model, its figures, a picture."""


def add_options(parser, count, seed):
    """Give the `learn` command its options; `count` and `seed` read whole numbers."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="a table, text or .npz")
    parser.add_argument(
        "--demo", action="store_true", help="learn from a small simulated camera table instead"
    )
    table = parser.add_argument_group("the table, by the names of its columns")
    table.add_argument("--time", metavar="T", help="the times, in seconds")
    for name, told in COLUMNS.items():
        table.add_argument(f"--{name}", type=names, metavar="A,B", help=told)
    table.add_argument("--trajectory", metavar="L", help="labels: rows with one are one motion")
    table.add_argument("--degrees", action="store_true", help="the angles are in degrees")
    told = "a motion is cut at a step of so many usual ones; 4 if absent"
    table.add_argument("--gap", type=float, metavar="N", help=told)
    training = parser.add_argument_group("the training")
    told = (
        "the kind of network, for all of the Lagrangian, for M(q) and V(q), or for q̈; lnn if absent"
    )
    training.add_argument("--model", choices=MODELS, help=told)
    training.add_argument("--friction", action="store_true", help="viscous friction is learned too")
    training.add_argument(
        "--no-compare", action="store_true", help="without a plain network beside"
    )
    training.add_argument("--seed", type=seed, metavar="N", help="of the training; 0 if absent")
    training.add_argument("--steps", type=count, metavar="N", help="of training; 6000 if absent")
    told = "write the model there, its figures as .json and a picture as .png beside"
    training.add_argument("--out", metavar="FILE.npz", help=told)


def names(text):
    """Names with commas between them, blanks beside these or not."""
    found = tuple(name.strip() for name in text.split(","))
    if not all(found):
        raise argparse.ArgumentTypeError(f"expected names with commas between them, got {text!r}")
    return found


def table(given):
    """Read the table that a command line means.

    Raises:
        ValueError: a file or a column is missing or wrong, as `data.table` says.
    """
    reading = ("time", *COLUMNS, "trajectory", "degrees", "gap")
    asked = {name: given[name] for name in reading if given[name] not in (None, False)}
    if given["demo"]:
        extra = ["FILE"] * (given["file"] is not None) + [f"--{name}" for name in asked]
        if extra:
            raise ValueError(f"expected --demo without {extra[0]}: it brings its own table")
        return data.table(CAMERA, **DEMO)
    if given["file"] is None:
        raise ValueError("expected a FILE with a table, or --demo")
    for name in ("time", "positions"):
        if name not in asked:
            raise ValueError(f"expected --{name} with the names of columns, got none")
    return data.table(given["file"], **asked)


def settings(given):
    """The arguments of `plan` that a command line gives; what it does not is the function's own."""
    found = {name: given[name] for name in ("model", "seed", "steps") if given[name] is not None}
    return found | {"friction": given["friction"], "compare": not given["no_compare"]}


def outputs(out):
    """The files to write, by suffix, each tried.

    Raises:
        ValueError: the name does not end in .npz, or a file cannot be written.
    """
    if Path(out).suffix != ".npz":
        raise ValueError(f"expected --out to be a file *.npz, got {out}")
    return {suffix: _inputs.file("--out", Path(out).with_suffix(suffix)) for suffix in OUTPUTS}
