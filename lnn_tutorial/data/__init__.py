r"""Measured motion: arrays checked once and drawn from, states by themselves or whole motions.

States with their accelerations are `Samples`; from arrays to a fit that is judged by motions it has
not seen::

    samples = arrays(q, q_dot, q_ddot, trajectory=labels)     # [n, d] each, and [n]
    training, held_out = samples.split(0.2, key=jax.random.key(0))
    fit = train.fit(loss, params, training, key=key, steps=2000, held_out=held_out)

Who has measured no accelerations, but states at known times, has `Motions`, and learns from windows
of a few frames each::

    training, held_out = motions(t, q, q_dot, trajectory=labels).split(key=jax.random.key(0))
    loss = train.motion_loss(model)
    fit = train.fit(loss, params, training.windows(4), key=key, steps=2000,
                    held_out=held_out.windows(4))

A measured table, with a row for each frame, becomes motions by `table`, and `describe` says how
they were measured and how noisy they are::

    names = ("theta1", "theta2")
    measured = table("swing.csv", time="t", positions=names, angles=names)
    print(*measured.notes, describe(measured.motions, measured.angles, measured.names), sep="\n")
    training, held_out = measured.motions.split(key=jax.random.key(0))

Who has measured nothing yet finds motions of real machines, measured by others, by `measured`::

    pendulum = measured("double pendulum")
    training, held_out = pendulum.motions.split(key=jax.random.key(0))

A batch of samples is a tuple `(q, q_dot, q_ddot)`, followed by the context and the torque where
there are any; an absent context before a torque is None. A batch of windows is a `Window`.
"""

from lnn_tutorial.data.description import Description, describe
from lnn_tutorial.data.door import NAMES, not_finite, rows
from lnn_tutorial.data.machines import measured
from lnn_tutorial.data.motion import Motions, Window, Windows, motions
from lnn_tutorial.data.paths import Path, Paths
from lnn_tutorial.data.samples import Samples, arrays
from lnn_tutorial.data.tables import Table, table

__all__ = [  # noqa: RUF022, the order of the API page
    "arrays",
    "Samples",
    "NAMES",
    "motions",
    "Motions",
    "Windows",
    "Window",
    "Paths",
    "Path",
    "table",
    "Table",
    "measured",
    "describe",
    "Description",
    "rows",
    "not_finite",
]
