"""Write the simulated camera table that `python -m lnn_tutorial learn --demo` learns from.

    python scripts/make_camera_table.py

Double pendulums with arms of one metre and bobs of one kilogramme, released at rest and seen by a
camera: positions alone, 30 frames a second, each angle with noise of its own. All in float64, from
one seed.
"""

import io

import numpy as np

from lnn_tutorial import evaluate, integrate, store, systems

THROWS, SECONDS, RATE = 24, 10, 30
NOISE = 0.01
WIDEST = 2.0
"""Both angles of a release are drawn up to so many radians from the downward vertical."""

HEAD = f"""\
# SIMULATED, not measured: {THROWS} double pendulums (arms 1 m, bobs 1 kg, g = 9.8 m/s^2), released
# at rest, filmed for {SECONDS} s at {RATE} frames a second. Angles in radians from the downward
# vertical, each with normal noise of {NOISE} rad. Made by scripts/make_camera_table.py, seed 0.
throw,t,theta1,theta2
"""


def throws(seed=0):
    """True positions and velocities `[throws, frames, 2]`, and the noise of the positions."""
    rng = np.random.default_rng(seed)
    q = rng.uniform(-WIDEST, WIDEST, (THROWS, 2))
    with integrate.double_precision():
        seen = evaluate.rollouts(
            systems.DoublePendulum().acceleration,
            q,
            np.zeros_like(q),
            dt=1 / RATE,
            steps=SECONDS * RATE,
            substeps=20,
        )
        q, q_dot = (np.asarray(x) for x in seen)
    return q, q_dot, NOISE * rng.normal(size=q.shape)


def write(path):
    """Write the table, a row for each frame."""
    q, _, noise = throws()
    found = io.StringIO()
    found.write(HEAD)
    for number, throw in enumerate(q + noise, start=1):
        for frame, (theta1, theta2) in enumerate(throw):
            found.write(f"{number},{frame / RATE:.4f},{theta1:.4f},{theta2:.4f}\n")
    store.write_atomically(path, lambda file: file.write(found.getvalue().encode()))


if __name__ == "__main__":
    write(store.SHIPPED / "camera.csv")
