r"""From a table of measurements to a model: noisy positions at known times are enough.

From a table to a trained model::

    names = ("theta1", "theta2")
    measured = data.table("swing.csv", time="t", positions=names, angles=names)
    noise = data.describe(measured.motions, measured.angles).noise
    model = models.LNN(dim=2, angles=measured.angles, velocity_scale=5.0)
    fit = learning.fit_positions(model, measured.motions, noise=noise, key=jax.random.key(0))
"""

from lnn_tutorial.learning.rounds import FRAMES, ROUNDS, fit_positions

__all__ = ["FRAMES", "ROUNDS", "fit_positions"]
