r"""From a table of measurements to a model: noisy positions at known times are enough.

In Python what `python -m lnn_tutorial learn` does::

    names = ("theta1", "theta2")
    table = data.table("swing.csv", time="t", positions=names, angles=names)
    learned = learning.learn(table)
    print(learned.plan, learned.report, sep="\n\n")
    store.save_model("swing.npz", learned.model, learned.params)

A model with settings of one's own is trained by `fit_positions`::

    noise = data.describe(table.motions, table.angles).noise
    model = models.LNN(dim=2, angles=table.angles, velocity_scale=5.0)
    fit = learning.fit_positions(model, table.motions, noise=noise, key=jax.random.key(0))
"""

from lnn_tutorial.learning.learned import Learned, follow, learn
from lnn_tutorial.learning.plans import MODELS, Plan, plan
from lnn_tutorial.learning.reports import Report, report
from lnn_tutorial.learning.rounds import (
    EXACT_ROUNDS,
    FRAMES,
    NOISY_ROUNDS,
    STATE_ROUNDS,
    Round,
    fit_positions,
    fit_states,
    states_seen,
    steps_of,
)

__all__ = [  # noqa: RUF022, the order of the API page
    "learn",
    "Learned",
    "plan",
    "Plan",
    "follow",
    "report",
    "Report",
    "MODELS",
    "fit_positions",
    "fit_states",
    "Round",
    "NOISY_ROUNDS",
    "EXACT_ROUNDS",
    "STATE_ROUNDS",
    "steps_of",
    "states_seen",
    "FRAMES",
]
