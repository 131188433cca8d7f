r"""A real robot arm over seeds: torques as commanded, as measured and unknown.

    python -m benchmarks.robot_arm [--jobs 2] [--only STUDY] [--json FILE]

The contestants are those of `experiments.arm_models`, the data are `data.measured`'s; each run is
judged by `experiments.ArmProtocol`.

torques   torques as commanded, as measured by the motors, and not known; three seeds of each
          network, and the formula
friction  torques as commanded, a Lagrangian network with viscous friction alone, or with none;
          three seeds
zeros     torques as commanded, and the encoders' zeros as they are in the files; one seed

It says beforehand how many runs there are, writes each result to FILE as it comes, and skips
what FILE has already: a killed run goes on where it was. FILE is by default the table that comes
with the package. Each job computes on one thread; with two jobs two runs share the machine.
"""

from benchmarks import study
from lnn_tutorial import experiments

MINUTES = {"torques": 0.5, "friction": 0.4, "zeros": 0.7}
"""Of one run, by study."""

STEPS = 4000
NETWORKS = ("lnn", "delan", "plain")


def runs(name):
    """The runs of a study: `{run's name: (function, arguments)}`."""
    many = [(model, seed) for seed in range(3) for model in NETWORKS]
    if name == "torques":
        return _named(name, [("rigid", 0), *many], dict.fromkeys(experiments.ARM_TORQUES, True))
    if name == "friction":
        fewer = [(model, seed) for model in ("lnn, viscous", "lnn, none") for seed in range(3)]
        return _named(name, fewer, {"commanded": True})
    return _named(name, [(model, 0) for model in (*NETWORKS, "rigid")], {"commanded": False})


def _named(study, pairs, torques):
    return {
        f"{study}, {torque}, {model}, {seed}": (_judged, (model, seed, torque, zeros))
        for torque, zeros in torques.items()
        for model, seed in pairs
    }


def _judged(name, seed, torque, zeros):
    model = experiments.arm_models(torque=torque != "none")[name]
    motions = experiments.arm_frames(
        experiments.ARM_TRAINING, torque=torque, mirrored=True, zeros=zeros
    )
    recipe, protocol = experiments.ArmRecipe(motions), experiments.ArmProtocol(torque)
    return study.judged(model, recipe, protocol, seed=seed, steps=STEPS)


if __name__ == "__main__":
    study.main(__doc__, "robot_arm", runs, MINUTES)
