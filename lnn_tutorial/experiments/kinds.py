"""Five kinds of network on many systems: on what they learn, and what of it they get right."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs, data, integrate, models, systems

KINDS = ("plain", "ode", "hnn", "hnn_canonical", "delan", "lnn")
"""The contestants; of a system with friction, `delan_friction` and `lnn_friction` as well."""

MOTIONS = 1600
"""So many motions are trained on."""

FASTER = 1.5
"""Outside of what was trained on, velocities are so many times as large."""


@dataclass(frozen=True, eq=False)
class Contest:
    """A system that all kinds of network learn, from the same motions.

    Args:
        system: as `systems` has it.
        time: T, a natural time in seconds: a period, or where motions are chaotic a Lyapunov time,
            after which a small error has grown e times.
        starts: function `(key, n) -> (q, q_dot)`, and the context as a third where there is one.
        frame: seconds between two frames of a motion that is trained on.
        frames: how many frames follow the first one of each.
        times: for how many of these motions are followed when judging.
        conserved: functions of a state by name, constant along every motion, beside the energy; in
            SI units they are of order 1 here.
        velocity_features: what the networks see of a velocity.
        chaotic: whether T is a Lyapunov time.
    """

    system: systems.System
    time: float
    starts: Callable
    frame: float
    frames: int = 100
    times: int = 20
    conserved: dict = field(default_factory=dict)
    velocity_features: str = "scaled"
    chaotic: bool = False

    @property
    def friction(self):
        """Whether a force takes energy away."""
        return hasattr(self.system, "force")

    @property
    def kinds(self):
        """The names of the contestants."""
        return (*KINDS, "delan_friction", "lnn_friction") if self.friction else KINDS

    def motions(self, seed, share=1.0):
        """True motions to train on, a share of `MOTIONS`: `data.Motions`, rounded to float32."""
        _inputs.positive(share=share)
        _inputs.at_most(1, share=share)
        _inputs.seed(seed)
        count = max(1, round(share * MOTIONS))
        start = self.starts(jax.random.fold_in(jax.random.key(1_000_021), seed), MOTIONS)
        t, q, q_dot = self.follow(
            *(x[:count] for x in start), dt=self.frame, steps=self.frames, substeps=20
        )
        context = np.asarray(start[2][:count]) if len(start) > 2 else None
        return data.motions(t, q.astype(np.float32), q_dot.astype(np.float32), context)

    def follow(self, q, q_dot, context=None, *, dt, steps, substeps):
        """True motions from starts `[n, d]`: `(t [f], q [n, f, d], q_dot [n, f, d])`, in float64.

        By RK4; where the system has one, by its closed form.
        """
        with integrate.double_precision():
            given = [q, q_dot] if context is None else [q, q_dot, context]
            given = [jnp.asarray(np.asarray(x, float)) for x in given]
            t = dt * jnp.arange(steps + 1)

            def one(q, q_dot, *context):
                if hasattr(self.system, "exact"):
                    return jax.vmap(partial(self.system.exact, q, q_dot))(t)
                law = partial(_with_context, self.system.acceleration, context)
                return integrate.rollout(law, q, q_dot, dt=dt, steps=steps, substeps=substeps)

            return tuple(np.asarray(x) for x in (t, *jax.jit(jax.vmap(one))(*given)))

    def samples(self, motions):
        """The states of motions with their true accelerations: `data.Samples`."""
        state = state_of(motions)
        q_ddot = jax.jit(jax.vmap(self.system.acceleration))(*state)
        return data.arrays(*state[:2], q_ddot, *state[2:])

    def models(self, samples, width=48, depth=3):
        """The contestants by name, 3 × 48 silu; their scales are those of the samples."""
        of = self.system
        rms = {name: _rms(getattr(samples, name)) for name in ("q", "q_dot", "q_ddot")}
        scales = {"velocity_scale": rms["q_dot"]}
        if self.velocity_features != "scaled":
            scales = {"velocity_features": self.velocity_features}
        face = {"dim": of.dim, "angles": of.angles, "position_scale": rms["q"], **scales}
        face |= {"width": width, "depth": depth, "activation": "silu"}
        if samples.context is not None:
            face |= {"context": of.context, "context_scale": _rms(samples.context)}
        acceleration = {"acceleration_scale": rms["q_ddot"]}
        momenta = {"momenta_of": of, "momentum_scale": _rms(_momenta(of, samples))}
        slowed = tuple(1 / (v**2 * self.time) for v in rms["q_dot"])  # M/T where training starts
        friction = {"force": models.ViscousFriction(scale=slowed)}
        found = {
            "plain": models.PlainNetwork(**face, **acceleration),
            "ode": models.NeuralODE(**face, **acceleration),
            "hnn": models.HNN(**face),
            "hnn_canonical": models.HNN(**face, **momenta),
            "delan": models.DeLaN(**face),
            "lnn": models.LNN(**face),
            "delan_friction": models.DeLaN(**face, **friction),
            "lnn_friction": models.LNN(**face, **friction),
        }
        return {name: found[name] for name in self.kinds}

    def faster(self, samples):
        """The same places, `FASTER` times as fast; of a fast particle by its rapidity."""
        q, q_dot, *context = state_of(samples)
        if isinstance(self.system, systems.ParticleInField):
            q_dot = jnp.tanh(FASTER * jnp.arctanh(q_dot))
        else:
            q_dot = FASTER * q_dot
        q_ddot = jax.jit(jax.vmap(self.system.acceleration))(q, q_dot, *context)
        return data.arrays(q, q_dot, q_ddot, *context)

    def kinetic(self, q, q_dot, *context):
        """E(q, q̇) − E(q, 0) at one state, in joules."""
        energy = partial(_with_context, self.system.energy, context)
        return energy(q, q_dot) - energy(q, jnp.zeros_like(q_dot))


def state_of(rows):
    """What rows of `data.Samples` or `data.Motions` have of a state: q, q̇, and a context."""
    return [x for x in (rows.q, rows.q_dot, rows.context) if x is not None]


def _with_context(function, context, q, q_dot):
    return function(q, q_dot, *context)


def _rms(x):
    """The root mean square of each column, a tuple; 1 where it is zero."""
    size = np.sqrt(np.mean(np.asarray(x, float) ** 2, axis=0))
    return tuple(float(f"{s:.3g}") if s > 0 else 1.0 for s in size)


def _momenta(system, samples):
    canonical = models.HNN(dim=system.dim, context=system.context, momenta_of=system)
    return jax.jit(jax.vmap(canonical.momentum))(*state_of(samples))


def _uniform(low, high):
    """Starts `(key, n) -> (q, q_dot, …)`, uniform between two corners of as many vectors."""
    sizes = np.cumsum([len(x) for x in low])[:-1]
    low, high = (np.concatenate(x).astype(np.float32) for x in (low, high))

    def starts(key, n):
        found = jax.random.uniform(key, (n, low.size), minval=low, maxval=high)
        return tuple(jnp.split(found, sizes, axis=1))

    return starts


def _turning(key, n):
    """Spherical pendulums that go round, either way, and stay clear of the poles."""
    draw, sense = jax.random.split(key)
    box = _uniform(([0.8, -np.pi], [-1, 2.5]), ([1.8, np.pi], [1, 4.5]))
    q, q_dot = box(draw, n)
    way = jax.random.rademacher(sense, (n,), q_dot.dtype)
    return q, q_dot.at[:, 1].multiply(way)


def _fast(key, n):
    """Particles with rapidities up to 1.5 either way, v up to 0.9, in fields up to 1.5."""
    q, rapidity, g = _uniform(([-2], [-1.5], [-1.5]), ([2], [1.5], [1.5]))(key, n)
    return q, jnp.tanh(rapidity), g


def contests():
    """The systems of chapter 12 by name."""
    kepler, three, charge = (
        systems.KeplerProblem(),
        systems.ThreeBodies(),
        systems.ChargeInMagneticField(),
    )
    turn = np.pi
    particle = {"starts": _fast, "frame": 0.04, "times": 5}
    return {
        "pendulum": Contest(systems.Pendulum(), 2.0, _uniform(([-2.5], [-5]), ([2.5], [5])), 0.05),
        "damped pendulum": Contest(
            systems.DampedPendulum(), 2.0, _uniform(([-2.5], [-5]), ([2.5], [5])), 0.05, 400
        ),
        "double pendulum": Contest(
            systems.DoublePendulum(),
            0.9,
            _uniform(([-turn] * 2, [-2] * 2), ([turn] * 2, [2] * 2)),
            0.05,
            chaotic=True,
        ),
        "triple pendulum": Contest(
            systems.TriplePendulum(),
            1.0,
            _uniform(([-2] * 3, [-1] * 3), ([2] * 3, [1] * 3)),
            0.03,
            chaotic=True,
        ),
        "spring pendulum": Contest(
            systems.SpringPendulum(), 2.0, systems.SpringPendulum().sample_released, 0.04
        ),
        "spring pendulum, Cartesian": Contest(
            systems.SpringPendulumCartesian(),
            2.0,
            systems.SpringPendulumCartesian().sample_released,
            0.04,
        ),
        "spherical pendulum": Contest(
            systems.SphericalPendulum(),
            2.0,
            _turning,
            0.04,
            conserved={"angular momentum": lambda q, q_dot: jnp.sin(q[0]) ** 2 * q_dot[1]},
        ),
        "Kepler": Contest(
            kepler,
            8.8,
            kepler.sample,
            0.1,
            conserved={
                "angular momentum": kepler.angular_momentum,
                "Laplace–Runge–Lenz": kepler.laplace_runge_lenz,
            },
        ),
        "three bodies": Contest(
            three,
            4.0,
            three.sample,
            0.05,
            200,
            times=5,
            conserved={
                "momentum": three.linear_momentum,
                "angular momentum": three.angular_momentum,
            },
            chaotic=True,
        ),
        "magnetic charge": Contest(
            charge,
            2 * turn,
            charge.sample,
            0.08,
            conserved={
                "centre": lambda q, q_dot: q + jnp.stack([q_dot[1], -q_dot[0]]),
            },
        ),
        "fast particle": Contest(systems.RelativisticParticle(), 0.8, **particle),
        "fast particle, rapidity": Contest(
            systems.RelativisticParticle(), 0.8, **particle, velocity_features="rapidity"
        ),
        "bouncing ball": Contest(
            systems.BouncingBall(restitution=0.9), 1.0, _uniform(([0], [-2]), ([2], [2])), 0.02
        ),
    }
