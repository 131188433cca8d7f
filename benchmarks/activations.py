r"""Activations on the double pendulum: nine of them, five seeds, two recipes, equal budgets.

    python -m benchmarks.activations [--jobs 2] [--only RECIPE] [--json FILE]

course      3 × 64, the bounded loss, kinetic offset, sines and cosines, Glorot, Muon to a peak of
            0.01; 10,000 steps of 128 states
paper       L1, no offset, wrapped raw angles, Eq. 16, Adam from 1e-3 down, batches of 32, as the
            paper's text says, but 4 × 64; 40,000 steps

Both recipes see 1,280,000 states, see `study.double_pendulum`. Nothing is tuned for an activation.
Every network is judged on 10,000 fresh states and on ten motions of the paper's protocol. Results
are written as they come, and a killed run goes on where it was.
"""

from dataclasses import replace

from benchmarks import study
from lnn_tutorial import experiments, networks

MINUTES = {"course": 0.7, "paper": 0.7}
"""Of one run, by study."""

SEEDS = range(5)


def runs(recipe):
    """The runs of a recipe: `{name: (function, arguments)}`."""
    return {
        f"{recipe}, {activation}, {seed}": (train, (recipe, activation, seed))
        for seed in SEEDS
        for activation in networks.ACTIVATIONS
    }


def train(recipe, activation, seed):
    """Figures of one trained network, or where its training diverged."""
    model, how, steps = study.double_pendulum(recipe)
    model = replace(model, activation=activation)
    protocol = experiments.double_pendulum_protocol(10)
    return study.judged(model, how, protocol, seed=seed, steps=steps)


if __name__ == "__main__":
    study.main(__doc__, "activations", runs, MINUTES)
