"""A room for programs that nobody has read: bubblewrap around them, and a watch beside it.

A program in its room has no network, sees neither the home folder nor other people's files, can
write to its own folder only, and inherits nothing of the environment. Bubblewrap sees to that.
What it may use up (memory, processes, disk) is limited by the kernel where the kernel can, and by
whoever started it with `excess` where not: control groups, which would do it all, belong to root.
"""

import importlib.util
import os
import shutil
import signal
import site
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

MEMORY = 4 * 2**30
"""Bytes of all processes together, and of the data of each."""
PROCESSES = 64
DISK = 256 * 2**20
FILES = 10_000
SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")

# The limits are set inside: here they would hold for bubblewrap, too.
LIMITED = f"""
import os, resource, sys
for kind, most in ("CORE", 0), ("FSIZE", {DISK}), ("DATA", {MEMORY}):
    resource.setrlimit(getattr(resource, "RLIMIT_" + kind), (most, most))
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def confined(arguments, room, environment, readable=(), writable=()):
    """The command that runs Python with some arguments in a room.

    Args:
        arguments: of the Python that runs this.
        room: the folder that the program works in and may fill, up to a limit.
        environment: all of its environment, but for `HOME` and the like.
        readable: further folders that it sees.
        writable: further folders that it may write to.
    """
    package = Path(importlib.util.find_spec("lnn_tutorial").origin).parent
    python = {sys.prefix, sys.base_prefix, os.path.realpath(sys.base_prefix)}
    packages = {*site.getsitepackages(), site.getusersitepackages(), str(package)}
    environment = {
        "HOME": room,
        "LANG": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PYTHONPATH": package.parent,
        "TMPDIR": room,
        "USER": "student",
    } | environment
    command = [
        shutil.which("bwrap"),
        "--unshare-all",
        "--unshare-user",
        "--uid",
        "1000",
        "--gid",
        "1000",
    ]
    command += ["--die-with-parent", "--new-session", "--proc", "/proc", "--dev", "/dev"]
    for place in (*SYSTEM, *sorted({*python, *packages}), *readable):
        command += ["--ro-bind-try", place, place]
    for place in (room, *writable):
        command += ["--bind", place, place]
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", room]
    # Inside, the first process can be read, and so can what its environment was: it has none.
    setting = [f"{key}={value}" for key, value in environment.items()]
    command = ["env", "-i", *command, "env", *setting, sys.executable, "-c", LIMITED, *arguments]
    return list(map(str, command))


@cache
def trouble():
    """Why programs cannot be confined on this machine, in words; empty if they can."""
    if not shutil.which("bwrap"):
        return "bubblewrap is not installed (apt install bubblewrap)"
    with tempfile.TemporaryDirectory() as room:
        task = "import ipykernel, importlib.util as u; u.find_spec('jax').name"
        command = confined(["-c", task], room, {})
        run = subprocess.run(command, capture_output=True, text=True)
    said = run.stderr.strip().splitlines()
    return f"bubblewrap does not work here ({said[-1]})" if run.returncode else ""


def excess(process, room):
    """What a program and all that it started use beyond the limits, in words; mostly nothing."""
    family = _family(process)
    if len(family) > PROCESSES:
        return f"it started more than {PROCESSES} processes"
    if sum(map(_resident, family)) > MEMORY and sum(map(_memory, family)) > MEMORY:
        return f"it used more than {MEMORY // 2**30} GiB of memory"
    size, files = _stored(room)
    if files > FILES:
        return f"it wrote more than {FILES} files, or hid them"
    if size + sum(map(_nameless, family)) > DISK:
        return f"it wrote more than {DISK // 2**20} MiB"
    return ""


def _family(process):
    """The numbers of a process and of all that come from it, or of as many as are too many.

    Those whose parent has ended stay in the family: inside a room bubblewrap adopts them.
    """
    family = [process]
    for one in family:  # it grows meanwhile
        for thread in _listed(f"/proc/{one}/task"):
            with suppress(OSError):
                children = Path(f"/proc/{one}/task/{thread}/children").read_text()
                family += map(int, children.split())
        if len(family) > PROCESSES:
            break
    return family


def _listed(folder):
    """What is in a folder, if it is there: processes end whenever they like."""
    with suppress(OSError):
        return os.listdir(folder)
    return []


def _resident(process):
    """Bytes of memory of a process with all that it shares with others: quick to tell."""
    with suppress(OSError):
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0


def _memory(process):
    """Bytes of memory of a process; what it shares with others is divided among them."""
    with suppress(OSError):
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return 0


def _nameless(process):
    """Bytes of files that a process holds open although they have no name any more."""
    size = 0
    for handle in _listed(f"/proc/{process}/fd"):
        with suppress(OSError):
            stat = os.stat(f"/proc/{process}/fd/{handle}")
            size += 0 if stat.st_nlink else 512 * stat.st_blocks
    return size


def _stored(room):
    """Bytes and number of the files in a room; a folder that cannot be read counts as too many."""
    size, files, folders = 0, 0, [room]
    while folders and files <= FILES:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    files += 1
                    size += 512 * entry.stat(follow_symlinks=False).st_blocks
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            files = FILES + 1
    return size, files


def end(process):
    """End a process and all that come from it; with bubblewrap all in the room ends."""
    for one in _family(process):
        with suppress(OSError):
            os.kill(one, signal.SIGKILL)


def clear(room):
    """Remove a room, however deep its folders are and whoever may read them."""
    subprocess.run(["chmod", "-R", "u+rwX", room], capture_output=True)
    subprocess.run(["rm", "-rf", room], capture_output=True)
