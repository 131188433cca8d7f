"""Submissions that mean harm: each is graded or reported, and nobody else notices."""

import csv
import os
import socket
import subprocess
import sys

import pytest

pytest.importorskip("nbgrader", reason="the extra `teach` is not installed")

import coursework
import sandbox

from tests.assignments.notebooks import answered, hand_in
from tests.assignments.toys import TOY, course_of_toys, toy

confined = pytest.mark.skipif(
    bool(sandbox.trouble()) and "LNN_REQUIRE_SANDBOX" not in os.environ, reason=sandbox.trouble()
)

SECRET = "what the lecturer alone may know"
SQUARE = "def square(x):\n    return x**power\n"
SPY = """
import glob, os
words, files = ("what the lecturer " + "alone may know").encode(), glob.glob("/proc/[0-9]*/environ")
for top in "home", "root", "tmp", "work", "mnt", "srv", "var", "etc", "opt":
    for folder, folders, names in os.walk("/" + top):
        if folder in (sys.prefix, sys.base_prefix):
            folders.clear()
        files += [os.path.join(folder, name) for name in names]
seen = []
for file in files:
    try:
        with open(file, "rb") as stream:
            seen += [file] if words in stream.read() else []
    except OSError:
        pass
print("SEEN", seen, "OF", len(files) > 1)
from IPython.display import HTML, display
display(HTML("<b>bold</b><script>tell()</script>"))
"""
WRITE = """
for path in {paths}:
    try:
        with open(path, "w") as stream:
            stream.write("I was here")
    except OSError:
        pass
"""
CALL = """
import socket
try:
    socket.create_connection(("127.0.0.1", {port}), timeout=5).send(b"hello")
except OSError:
    pass
"""
FORK = """
import os
while not os.fork():
    pass
os.wait()
"""
FILL = """
for name in range(10**6):
    with open(str(name), "wb") as stream:
        stream.write(bytes(2**22))
"""
FILL_UNSEEN = """
import os
streams = []
for name in range(10**6):
    streams.append(open(str(name), "wb"))
    os.remove(str(name))
    streams[-1].write(bytes(2**22))
"""
EAT = """
import os
while True:
    hoard = bytearray(os.urandom(2**20)) * 300
    if os.fork():
        os.wait()
"""
KILL = """
import os, signal
for whom in os.getppid(), 1, -1:
    try:
        os.kill(whom, signal.SIGKILL)
    except OSError:
        pass
"""
ALL = "10.0"
BUT_SQUARE = "7.0"


@pytest.fixture(scope="module")
def harmed(tmp_path_factory):
    """Grade them all as a lecturer with a secret would; what stands in the table, and what not.

    In a process of its own: the environment of this one is older than the secret. The limits that
    are watched are lowered, so that less has to be filled.
    """
    place = tmp_path_factory.mktemp("lecturer")
    home, folder = place / "home", place / "submitted"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_ed25519").write_text(SECRET)
    course_of_toys(place, timeout=60)
    hand_in(folder, "neighbour", TOY, toy())
    forbidden = [
        home / ".bashrc",
        home / ".ssh" / "id_ed25519",
        folder / "neighbour" / f"{TOY}.ipynb",
        place / "course" / "source" / TOY / f"{TOY}.ipynb",
        coursework.ROOT / "I was here",
        coursework.ROOT / "lnn_tutorial" / "I was here",
        place.parent / "I was here",
    ]
    before = [path.read_bytes() if path.exists() else None for path in forbidden]
    with socket.create_server(("127.0.0.1", 0)) as server:
        harm = {
            "spies": SPY,
            "writes": WRITE.format(paths=[str(path) for path in forbidden]),
            "calls": CALL.format(port=server.getsockname()[1]),
            "forks": FORK,
            "fills": FILL,
            "fills unseen": FILL_UNSEEN,
            "fills one file": "open('x', 'wb').truncate(10**12)",
            "eats": EAT,
            "eats alone": "bytearray(10**11)",
            "kills": KILL,
        }
        for student, code in harm.items():
            hand_in(folder, student, TOY, answered(toy(), {"square": f"{code}\n{SQUARE}"}))
        script = (
            "import coursework, sandbox, sys; from pathlib import Path\n"
            "sandbox.DISK, sandbox.MEMORY = 2**25, 2**30\n"
            "place = Path(sys.argv[1])\n"
            "submissions = coursework.grade(place / 'submitted', place / 'course')\n"
            "coursework.write(submissions, place / 'submitted', place / 'graded')\n"
        )
        surroundings = {"HOME": str(home), "TOKEN": SECRET}
        surroundings["PYTHONPATH"] = f"{coursework.ROOT}{os.pathsep}{coursework.ROOT / 'scripts'}"
        command = [sys.executable, "-c", script, str(place)]
        run = subprocess.run(command, env=os.environ | surroundings, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        server.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody is waiting to be let in
            server.accept()
    assert [path.read_bytes() if path.exists() else None for path in forbidden] == before
    with (place / "graded" / "marks.csv").open(encoding="utf-8-sig", newline="") as stream:
        return {row["student"]: row for row in csv.DictReader(stream)}, place / "graded"


@confined
@pytest.mark.parametrize(
    ("student", "points", "note"),
    [
        ("neighbour", ALL, ""),
        ("spies", ALL, ""),
        ("writes", ALL, ""),
        ("calls", ALL, ""),
        ("forks", "", "not graded: it started more than 64 processes"),
        ("fills", "", "not graded: it wrote more than 32 MiB"),
        ("fills unseen", "", "not graded: it wrote more than 32 MiB"),
        ("fills one file", BUT_SQUARE, ""),
        ("eats", "", "not graded: it used more than 1 GiB of memory"),
        ("eats alone", BUT_SQUARE, ""),
        ("kills", ALL, ""),
    ],
)
def test_harm_is_reported_or_graded(harmed, student, points, note):
    row = harmed[0][student]
    assert (row["points"], row["note"]) == (points, note)


@confined
def test_a_submission_sees_no_secret(harmed):
    table, graded = harmed
    page = (graded / "feedback" / "spies" / f"{TOY}.html").read_text(encoding="utf-8")
    assert "SEEN [] OF True" in page
    assert "<b>bold</b>" in page and "<script>tell" not in page
    assert "" not in table  # no line says that submissions ran unguarded


@confined
def test_a_process_may_end_while_it_is_watched(tmp_path):
    for _ in range(60):
        process = subprocess.Popen(["sh", "-c", "sleep 0.01 & sleep 0.01 & wait"])
        while process.poll() is None:
            assert sandbox.excess(process.pid, tmp_path) == ""


def test_without_bubblewrap_and_with_spawn_alone_all_is_graded_and_the_table_says_so(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    monkeypatch.setattr(coursework.multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    sandbox.trouble.cache_clear()
    try:
        hand_in(tmp_path / "submitted", "Ada", TOY, toy())
        course = course_of_toys(tmp_path, timeout=60)
        submissions = coursework.grade(tmp_path / "submitted", course)
        coursework.write(submissions, tmp_path / "submitted", tmp_path / "graded")
    finally:
        sandbox.trouble.cache_clear()
    with (tmp_path / "graded" / "marks.csv").open(encoding="utf-8-sig", newline="") as stream:
        ada, unguarded = csv.DictReader(stream)
    assert (ada["points"], ada["note"]) == (ALL, "")
    assert unguarded["student"] == "" and "apt install bubblewrap" in unguarded["note"]
