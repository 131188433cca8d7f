"""Motions of real machines that others have measured and published, by name.

The files are not ours to pass on, and none of them is in the package: they come from their authors'
repositories, from one commit each, and a file that is not the one that we know is refused.
"""

import hashlib
import io
import logging
import os
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pooch
from scipy.io import loadmat
from tqdm import tqdm

from lnn_tutorial import _inputs, store
from lnn_tutorial.data import files
from lnn_tutorial.data.motion import motions
from lnn_tutorial.data.tables import Table, counted

FOLDER = "LNN_TUTORIAL_DATA"
"""The environment variable that names a folder to look in before anything is downloaded."""

PATIENCE = 30
"""For so many seconds a server may say nothing."""

MACHINES = ("double pendulum", "single pendulum", "robot arm")

TORQUES = {
    "measured": ("tau_meas", "as the motors measure them"),
    "commanded": ("tau_con", "as the controller asks for them"),
}
"""The columns of the robot arm, and what stands in them."""


class Source(NamedTuple):
    """Where files come from.

    Args:
        folder: where they are in the folder that `FOLDER` names, and in the cache.
        address: what stands before their names on the web, with the commit.
        files: bytes and SHA-256 of each, by its name.
    """

    folder: str
    address: str
    files: dict


PENDULUMS = Source(
    "multiarm-pendulum",
    "https://raw.githubusercontent.com/dynamicslab/MultiArm-Pendulum/"
    "e99a7e13fe2adc8fc647321a156b6cb59a48a698/ParameterEstimation/",
    {
        "DoublePendulumDataForParameterEstimation.mat": (
            2664305,
            "4bf9e4006aa83b2b003295ac1b1946717eec87d76873834d6248683aca419902",
        ),
        "SinglePendulumDataForParameterEstimation.mat": (
            998011,
            "f3b8cdda4a6e86405ec37ff32b98be76fd37806a609cba7870628c1e40377a98",
        ),
    },
)

ARM = Source(
    "dfki-double-pendulum",
    "https://raw.githubusercontent.com/dfki-ric-underactuated-lab/double_pendulum/"
    "1e8544e67f3da72a51ee52fbbb278e131ce2a43f/"
    "data/experiment_records/design_C.0/20220914/sys_id/",
    {
        "trajectory_00.csv": (
            1902467,
            "56a084a814614be4e71a9b1fb954565119159a6a0560a84b7f430039366aa68f",
        ),
        "trajectory_01.csv": (
            1896199,
            "43c348acc4bbfb4b8d43096c1b8e539a9fbf3b212ebf2a9b2f2f5d8f426fb671",
        ),
        "trajectory_03.csv": (
            1899752,
            "6260a0f8c636db5b6ad0b6581fc687e4df497c6a698616cf608ec0504a8463ba",
        ),
        "trajectory_12.csv": (
            1837684,
            "6a2edd8ccfe17e57d27cb60830e9dbfa47b0a67666841f3b3436dd2947e08f39",
        ),
    },
)


def measured(name, *, torque="measured"):
    r"""Motions of a real machine that others have measured.

    ================= ============================================================ ========
    name              what moves                                                   download
    ================= ============================================================ ========
    "double pendulum" two arms that swing freely: one release, cut into 30 pieces  2.7 MB
    "single pendulum" one arm that swings freely: one release, cut into 6 pieces   1.0 MB
    "robot arm"       two arms with a motor in each joint: recordings 0, 1, 3, 12  7.5 MB
    ================= ============================================================ ========

    Angles are in radians and zero where an arm hangs. Those of the pendulums are counted from the
    vertical; the second one of the robot arm is counted from its first arm.

    The files are looked for in the folder that the environment variable `LNN_TUTORIAL_DATA` names,
    and else downloaded once and kept in a cache.

    Args:
        name: which machine.
        torque: of the robot arm, `"measured"` by its motors or `"commanded"` by its controller.

    Returns:
        `Table`; its notes name the source, its licence and what was done to the numbers. The rows
        are lines of the text files, counted from one, and of the pendulums indices in a piece.

    Raises:
        ValueError: a name or a torque that there is not.
        StoreError: a file cannot be downloaded, or it is not the one that we know.

    Source: Kaheman et al. (2023) for the pendulums, Wiebe et al. (2024) for the robot arm.
    """
    _inputs.choice("name", name, MACHINES)
    _inputs.choice("torque", torque, tuple(TORQUES))
    if name == "robot arm":
        return _arm(torque)
    if torque != "measured":
        raise ValueError(f"expected no torque beside {name!r}, which swings freely, got {torque!r}")
    return _pendulum(f"{name.split()[0].capitalize()}PendulumDataForParameterEstimation.mat")


def _pendulum(file):
    (content,) = _contents(PENDULUMS, [file])
    cells = loadmat(io.BytesIO(content))
    times = [t.ravel() for end in ("id", "vad") for t in cells[f"Time_{end}"].ravel()]
    states = [y.T for end in ("id", "vad") for y in cells[f"Y_{end}"].ravel()]
    kept = cells["Time_vad"].size
    frames = [len(t) for t in times]
    q, q_dot = np.split(np.concatenate(states), 2, axis=1)
    made = motions(
        np.concatenate(times),
        q - np.pi,
        q_dot,
        trajectory=np.repeat(np.arange(len(times)), frames),
    )
    names = ("theta",) if q.shape[1] == 1 else ("theta1", "theta2")
    notes = (
        "Kaheman et al., The Experimental Multi-Arm Pendulum on a Cart, HardwareX 15, 2023, arXiv "
        "2205.06231; data from github.com/dynamicslab/MultiArm-Pendulum, commit e99a7e1, MIT "
        "licence, copyright 2022 dynamicslab",
        f"one release without a motor, in pieces on one clock: the last {kept} are those that the "
        "authors validate with",
        f"{' and '.join(names)} in radians from the vertical, zero where an arm hangs; the file "
        "has π there",
        "angles are an encoder's, as recorded; velocities in rad/s were smoothed by the authors, "
        "by a median over ten frames and by wavelets: their errors go along from frame to frame, "
        "and they lag behind the angles, by 3 ms at the most",
        counted(made),
    )
    return Table(
        made, names, (True,) * len(names), notes, np.concatenate([*map(np.arange, frames)])
    )


def _arm(torque):
    column, said = TORQUES[torque]
    kinds = ("pos_meas", "vel_meas", column)
    read = [
        files.text(Path(file), content, ("time", *(kind + i for kind in kinds for i in "12")))
        for file, content in zip(ARM.files, _contents(ARM, ARM.files), strict=True)
    ]

    def side_by_side(kind):
        return np.concatenate([np.stack([x.values[kind + i] for i in "12"], 1) for x in read])

    q, q_dot, tau = map(side_by_side, kinds)
    labels = [int(file.removesuffix(".csv")[-2:]) for file in ARM.files]
    made = motions(
        np.concatenate([x.values["time"] for x in read]),
        q,
        q_dot,
        torque=tau,
        trajectory=np.repeat(labels, [len(x.rows) for x in read]),
    )
    notes = (
        "Wiebe et al., Open Source Dual-Purpose Acrobot and Pendubot Platform, IEEE Robotics & "
        "Automation Magazine 31(2), 2024; data from github.com/dfki-ric-underactuated-lab/"
        "double_pendulum, commit 1e8544e, BSD-3 licence, copyright 2022 DFKI RIC Underactuated "
        "Robotics Lab",
        "four recordings, each with a clock of its own and steps as they came, mostly of 2 ms; "
        "recording 12 swings up and stays there",
        "shoulder in radians from hanging, elbow in radians from the upper arm's direction; "
        "encoders in steps of 0.00038 rad",
        "velocities in rad/s are the encoders' differences over the step before, divided by its "
        "length and not smoothed: an uneven step shows as a spike",
        f"torques in N m of the motors at shoulder and elbow, {said}",
        counted(made),
    )
    return Table(
        made, ("shoulder", "elbow"), (True, True), notes, np.concatenate([x.rows for x in read])
    )


# --- Files -------------------------------------------------------------------------------------


def _contents(source, names):
    """The bytes of some files, each checked, wherever it was found."""
    own = os.environ.get(FOLDER)
    cache = Path(pooch.os_cache("lnn_tutorial"))
    places = {}
    for name in names:
        path = Path(own or cache).expanduser() / source.folder / name
        places[name] = path if path.is_file() else cache / source.folder / name
    missing = [name for name, path in places.items() if not path.is_file()]
    whole = sum(source.files[name][0] for name in missing)
    for name in missing:
        _download(source, name, places[name], whole)
    return [_checked(source, name, path, cache) for name, path in places.items()]


def _checked(source, name, path, cache):
    """The bytes of a file, or raise; from the cache a file that is not ours to keep is deleted."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise store.StoreError(f"{path}: cannot be read ({error.strerror})") from error
    if hashlib.sha256(content).hexdigest() == source.files[name][1]:
        return content
    wrong = f"{path}: damaged or changed, its SHA-256 is not that of {source.address}{name}"
    if path.is_relative_to(cache):
        path.unlink()
        wrong += "; it is deleted, the next call downloads it anew"
    raise store.StoreError(wrong)


def _download(source, name, path, whole):
    """Download a file to where it belongs, or leave nothing there."""
    size, sha256 = source.files[name]
    said = f"{name}, {size / 1e6:.1f} of {whole / 1e6:.1f} MB"
    with _quiet(), tqdm(total=size, desc=said, unit="B", unit_scale=True) as bar:
        try:
            pooch.retrieve(
                source.address + name,
                known_hash=f"sha256:{sha256}",
                fname=name,
                path=path.parent,
                downloader=pooch.HTTPDownloader(progressbar=bar, timeout=PATIENCE),
            )
        except OSError as error:
            raise store.StoreError(
                f"{name}: cannot be downloaded from {source.address}{name} "
                f"({type(error).__name__}), and no folder has it that the environment variable "
                f"{FOLDER} names, as {source.folder}/{name}"
            ) from error
        except ValueError as error:
            raise store.StoreError(
                f"{name}: damaged or changed, what {source.address}{name} sends has another "
                "SHA-256 than it had; nothing of it is kept"
            ) from error


@contextmanager
def _quiet():
    """Without what pooch logs: the bar says it."""
    log = pooch.get_logger()
    before = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(before)
