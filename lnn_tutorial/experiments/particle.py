"""The particle in a uniform field: five kinds of network, and what each assumes."""

from dataclasses import dataclass
from functools import cached_property, partial

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs, evaluate, integrate, models, systems, train
from lnn_tutorial.experiments.recipe import (
    NEW_STARTS,
    NEW_STATES,
    STARTS,
    NoiseProtocol,
    Polish,
    Recipe,
    command_line,
    compete,
    errors,
    result,
)

PARTICLES = {"paper": systems.PaperParticle(), "relativistic": systems.RelativisticParticle()}
"""The particle in a uniform field, by the Lagrangian that rules it."""


def particle_models(lagrangian="paper", **change):
    """Five contestants, 3 × 24 softplus, by name; `change` replaces arguments of all.

    Velocities enter by the feature whose square, as a kinetic offset, makes a mass matrix that
    grows towards the speed of light nearly as the true one does: rapidity, γ⁴ (1 + 2 q̇ artanh q̇),
    for the paper's γ⁵ (1 + 2 q̇²); arcsine, γ² + γ³ q̇ arcsin q̇, for the relativistic γ³.

    Args:
        lagrangian: `"paper"` or `"relativistic"`.
    """
    _inputs.choice("lagrangian", lagrangian, PARTICLES)
    face = {"dim": 1, "position_scale": 3.0, "context": 1, "context_scale": 3.0}
    face |= {"velocity_features": "rapidity" if lagrangian == "paper" else "arcsine"}
    face |= {"width": 24, "depth": 3, "activation": "softplus", **change}
    return {
        "lnn": models.LNN(**face, kinetic_offset=5.0),
        "plain": models.PlainNetwork(**face),
        "hnn": models.HNN(**face),
        "delan": models.DeLaN(**face),
        "hnn_canonical": models.HNN(**face, momenta_of=PARTICLES[lagrangian]),
    }


def oscillator_models():
    """The contestants that fail on the particle, for a system that is within their reach."""
    face = {"dim": 1, "width": 24, "depth": 3, "activation": "softplus"}
    return {"hnn": models.HNN(**face), "delan": models.DeLaN(**face)}


def particle_recipe(system, polish):
    """The bounded loss; Muon to a peak of 0.01 after a slow start, then a polish.

    Args:
        system: whose states and accelerations are learned.
        polish: a `Polish`, or its number of steps.
    """
    return Recipe(
        train.labelled(system),
        "box",
        lambda steps: train.muon(0.01, steps, 0.2),
        scale=0.3,
        batch_size=256,
        polish=Polish(polish) if isinstance(polish, int) else polish,
    )


LONG_POLISH = Polish(steps=1000, batch_size=1024)
"""What the shipped models of the particle got."""


@dataclass(frozen=True)
class ParticleProtocol:
    """How models of the particle are judged: on fresh states, and on motions over a second.

    Args:
        system: a system with a context.
        starts: how many motions, from fresh states of the paper's sampling.
        states: how many fresh states judge the accelerations.
        seconds: how long each motion is.
        frame: time between two looks at it.
        substeps: Runge–Kutta steps between two looks.
    """

    system: systems.ParticleInField
    starts: int = 100
    states: int = 100_000
    seconds: float = 1.0
    frame: float = 0.02
    substeps: int = 10

    def __post_init__(self):
        _inputs.count(starts=self.starts, states=self.states, substeps=self.substeps)
        _inputs.frames(self.seconds, self.frame)

    def figures(self, model, params):
        """All figures of a trained model.

        Returns:
            Dict of floats: those of `evaluate.acceleration_error`, weighted with 1 + γ as in the
            paper's public code; for a Hamiltonian one also `velocity_weighted_l1`, how wrong
            its q̇ is; of the motions, the median over starts and the worst: `velocity_error`, the
            largest |error| of q̇ along a motion, and `energy_error`, the largest
            |E(t) − E(0)| / K, where K is the largest kinetic energy of the true motion.
        """
        found = self.acceleration_errors(model, params)
        return found | self._motion_errors(partial(model.rollout, params))

    def acceleration_errors(self, model, params):
        """Those of the figures that need no motion."""
        q, q_dot, g = self.system.sample(jax.random.key(NEW_STATES), self.states)
        truth = jax.jit(jax.vmap(self.system.acceleration))(q, q_dot, g)
        weights = 1 + ((1 - q_dot[:, 0]) * (1 + q_dot[:, 0])) ** -0.5
        acceleration = partial(model.acceleration, params)
        found = evaluate.acceleration_error(acceleration, q, q_dot, truth, g, weights)
        if isinstance(model, models.HNN):
            velocity = jax.jit(jax.vmap(partial(model.slopes, params)))(q, q_dot, g)[0]
            miss = jnp.abs(velocity - q_dot)[:, 0]
            found["velocity_weighted_l1"] = float(jnp.average(miss, weights=weights))
        return found

    def floor(self):
        """The errors of the true system's motions: what the integrator itself gets wrong."""
        return self._motion_errors(partial(self._motion, substeps=self.substeps))

    def _motion(self, q, q_dot, g, **steps):
        return integrate.rollout(
            lambda q, q_dot: self.system.acceleration(q, q_dot, g), q, q_dot, **steps
        )

    @cached_property
    def _steps(self):
        return {"dt": self.frame, "steps": _inputs.frames(self.seconds, self.frame)}

    @cached_property
    def _energies(self):
        return jax.jit(jax.vmap(jax.vmap(self.system.energy, (0, 0, None))))

    @cached_property
    def _true_motions(self):
        """Starts, velocities `[n, t, 1]` and largest kinetic energies `[n]`."""
        starts = self.system.sample(jax.random.key(NEW_STARTS), self.starts)
        true = partial(self._motion, **self._steps, substeps=4 * self.substeps)
        _, velocity = jax.jit(jax.vmap(true))(*starts)
        kinetic = self._energies(jnp.zeros_like(velocity), velocity, starts[-1])
        return starts, velocity, np.asarray(kinetic).max(axis=1)

    def _motion_errors(self, motion):
        starts, velocity, kinetic = self._true_motions
        moved = jax.jit(jax.vmap(partial(motion, **self._steps, substeps=self.substeps)))
        q, q_dot = moved(*starts)
        energy = np.asarray(self._energies(q, q_dot, starts[-1]), float)
        found = {
            "velocity_error": errors(np.abs(q_dot - velocity)[..., 0].max(axis=1)),
            "energy_error": errors(np.abs(energy - energy[:, :1]).max(axis=1) / kinetic),
        }
        figures = {}
        for name, error in found.items():
            figures[f"{name}_median"] = float(np.median(error))
            figures[f"{name}_worst"] = float(error.max())
        return figures


@command_line(
    {"control": "control: the harmonic oscillator"},
    starts=STARTS,
    lagrangian={
        "choices": PARTICLES,
        "help": "the paper's, or that of special relativity",
    },
)
def relativistic_particle(
    seed=0, steps=6_000, starts=100, lagrangian="paper", checkpoint=None, progress=True
):
    """Five kinds of network learn the particle in a uniform field.

    All see the same fresh states, 256 a step and then, in a polish of a twentieth as many steps,
    512, with the same width, depth, optimisers and loss, and are judged by `ParticleProtocol`. As
    a control, those that cannot learn the particle learn the harmonic oscillator by the same
    recipe.

    Args:
        seed: of the parameters and the training states.
        steps: of training before the polish, for each model.
        starts: how many motions are judged.
        lagrangian: `"paper"` or `"relativistic"`.
        checkpoint: a folder for checkpoints, to resume from.
        progress: whether to show bars.

    Returns:
        Dict: as `spring_pendulum`, with the `lagrangian`, and figures of the `control` by model.
    """
    _inputs.choice("lagrangian", lagrangian, PARTICLES)
    system, oscillator = PARTICLES[lagrangian], systems.HarmonicOscillator()
    protocol, polish = ParticleProtocol(system, starts), max(1, steps // 20)
    recipe = particle_recipe(system, polish)
    settings = {"seed": seed, "steps": steps, "checkpoint": checkpoint, "progress": progress}
    figures, _ = compete(
        particle_models(lagrangian), recipe, protocol, label=f"{lagrangian} {{}}", **settings
    )
    control, noise = {}, NoiseProtocol(oscillator, protocol.states)
    for name, model in oscillator_models().items():
        fit = particle_recipe(oscillator, polish).fit(model, label=f"oscillator {name}", **settings)
        control[name] = noise.figures(model, fit.params)
    facts = {"starts": starts, "lagrangian": lagrangian}
    told = result("relativistic-particle", figures, protocol, seed=seed, steps=steps, **facts)
    return {**told, "control": control}
