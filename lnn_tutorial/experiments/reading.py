"""Ten systems whose symmetries and formulas are known, to see what can be read off a network."""

import inspect
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import (
    _inputs,
    evaluate,
    integrate,
    mechanics,
    models,
    reading,
    systems,
    train,
)
from lnn_tutorial.experiments.double import double_pendulum_protocol
from lnn_tutorial.experiments.measured import TRAINING, VALIDATION, MeasuredProtocol
from lnn_tutorial.experiments.particle import particle_models, particle_recipe
from lnn_tutorial.experiments.recipe import Recipe

READ_STEPS = 20_000
"""Steps of a live training."""

READ_STATES = 3000
"""So many states something is read at."""

FAST_SPEED = 0.99
"""Of the speed of light: faster, a mass of γ³ makes the states that are known worst weigh most."""

PERIODS = 20
"""Conserved quantities are followed for so many periods, 2π times a typical time each."""

ONE = reading.terms("1")
QUADRATIC = ONE + reading.velocities(2)
QUARTIC = QUADRATIC + reading.terms("norm(q_dot)**4")
PLANE = (reading.coordinates(2, 4) + reading.distances((1, -1, -2, -3))) * QUARTIC
"""Terms for two Cartesian coordinates: powers of them and of their length, with velocities."""

TURNING = reading.angles(2) * QUADRATIC
"""Terms for two angles."""

TURNING_TWICE = reading.angles(2, 2) * QUADRATIC
"""The same with twice the angles."""

STRETCHING = (
    reading.coordinates(1, 3)
    + reading.terms("cos(q[1])", "sin(q[1])", "q[0]*cos(q[1])", "q[0]*sin(q[1])")
    + reading.terms("q[0]**2*cos(q[1])", "cos(2*q[1])", "q[0]**2*cos(2*q[1])")
) * QUADRATIC
"""Terms for a length and an angle."""

FALLING = reading.coordinates(2, 3) * QUADRATIC
TRIPLE = reading.angles(3) * (ONE + reading.velocities(3))
FAST = reading.terms(
    "1", "q[0]", "q[0]**2", "q[0]*context[0]", "q[0]**2*context[0]"
) * reading.terms(
    "1",
    "q_dot[0]",
    "q_dot[0]**2",
    "q_dot[0]**4",
    "sqrt(1 - q_dot[0]**2)",
    "sqrt(1 - q_dot[0]**2)**-1",
)
"""Terms for a particle near the speed of light, in a field that comes with each state."""


@dataclass(frozen=True)
class Readable:
    """A system, how its network is trained, and what is true of it.

    Args:
        system: as `systems` has it.
        lagrangian: how many independent affine symmetries 𝓛 has, up to total derivatives.
        motion: how many the accelerations have.
        library: the terms that its formula is looked for in.
        truth: the coefficients of its formula by term, the first of them 1; none where more than
            one formula is right.
        scales: settings of its network.
        size: a typical acceleration.
    """

    system: systems.System
    lagrangian: int
    motion: int
    library: reading.Library
    truth: dict = field(default_factory=dict)
    scales: dict = field(default_factory=dict)
    size: float = 1.0

    @property
    def model(self):
        """A Lagrangian network, 2 × 64 silu; of the fast particle that of its own experiment."""
        if getattr(self.system, "context", 0):
            return particle_models("relativistic")["lnn"]
        face = {"dim": self.system.dim, "angles": self.system.angles, "activation": "silu"}
        return models.LNN(**face | {"width": 64, "depth": 2} | self.scales)

    @property
    def recipe(self):
        """The bounded loss, Muon, fresh states."""
        if getattr(self.system, "context", 0):
            return particle_recipe(self.system, None)
        batches = train.labelled(self.system)
        return Recipe(batches, "box", lambda n: train.muon(0.02, n), scale=self.size)

    def states(self, seed=0):
        """States to read at, `(q, q_dot)` or with a context as a third.

        Those of the system's `sample`; of the fast particle with speeds evenly up to `FAST_SPEED`.
        """
        key = jax.random.fold_in(jax.random.key(1_000_011), _inputs.seed(seed))
        q, q_dot, *context = self.system.sample(key, READ_STATES)
        if context:
            limits = {"minval": -FAST_SPEED, "maxval": FAST_SPEED}
            q_dot = jax.random.uniform(jax.random.fold_in(key, 1), q_dot.shape, **limits)
        return q, q_dot, *context


def readable_systems():
    """The ten systems by name."""
    v = {"velocity_scale": 1.0}
    squares = {"q_dot[0]**2": 1.0, "q_dot[1]**2": 1.0}
    wide = {"velocity_scale": 5.0}
    return {
        "Kepler": Readable(
            systems.KeplerProblem(), 1, 1, PLANE, squares | {"norm(q)**-1": 2.0}, v
        ),
        "magnetic charge": Readable(
            systems.ChargeInMagneticField(), 3, 4, PLANE, squares | {"q_dot[1]*q[0]": 2.0}, v
        ),
        "isotropic oscillator": Readable(systems.IsotropicOscillator(), 1, 4, PLANE, {}, v),
        "two bodies": Readable(systems.TwoBodiesOnSpring(), 2, 4, PLANE, {}, v),
        "falling ball": Readable(systems.FallingBall(), 4, 6, FALLING, {}, wide, 10.0),
        "spring pendulum": Readable(
            systems.SpringPendulum(), 0, 0, STRETCHING,
            {"q_dot[0]**2": 1.0, "q_dot[1]**2*q[0]**2": 1.0, "q[0]": 80.0, "q[0]**2": -40.0,
             "q[0]*cos(q[1])": 19.6},
            wide, 20.0,
        ),
        "spherical pendulum": Readable(
            systems.SphericalPendulum(), 1, 1, TURNING_TWICE,
            {"q_dot[0]**2": 1.0, "q_dot[1]**2": 0.5, "q_dot[1]**2*cos(2*q[0])": -0.5,
             "cos(q[0])": 19.6},
            wide, 10.0,
        ),
        "double pendulum": Readable(
            systems.DoublePendulum(), 0, 0, TURNING,
            {"q_dot[0]**2": 1.0, "q_dot[1]**2": 0.5, "q_dot[0]*q_dot[1]*cos(q[0] - q[1])": 1.0,
             "cos(q[0])": 19.6, "cos(q[1])": 9.8},
            wide, 5.0,
        ),
        "triple pendulum": Readable(
            systems.TriplePendulum(), 0, 0, TRIPLE,
            {"q_dot[0]**2": 1.0, "q_dot[1]**2": 2 / 3, "q_dot[2]**2": 1 / 3,
             "q_dot[0]*q_dot[1]*cos(q[0] - q[1])": 4 / 3,
             "q_dot[0]*q_dot[2]*cos(q[0] - q[2])": 2 / 3,
             "q_dot[1]*q_dot[2]*cos(q[1] - q[2])": 2 / 3,
             "cos(q[0])": 19.6, "cos(q[1])": 2 * 19.6 / 3, "cos(q[2])": 19.6 / 3},
            wide, 5.0,
        ),
        "relativistic particle": Readable(
            systems.RelativisticParticle(), 1, 1, FAST,
            {"sqrt(1 - q_dot[0]**2)": 1.0, "q[0]*context[0]": -1.0},
        ),
    }  # fmt: skip


@dataclass(frozen=True)
class ReadingProtocol:
    """How well a system's symmetries and formula are read off a function.

    Args:
        name: of the system, see `readable_systems`.
        seed: of the states.
        states: where to read, if not at `Readable.states`: a network that learned from motions
            knows the states that they pass.
    """

    name: str
    seed: int = 0
    states: tuple | None = None

    def figures(self, model, params):
        """All figures of a trained model, as `of` has them."""
        lagrangian = getattr(model, "lagrangian", None)
        return self.of(
            partial(model.acceleration, params), lagrangian and partial(lagrangian, params)
        )

    def of(self, acceleration, lagrangian):
        """Figures of an acceleration and of a Lagrangian, functions of a state.

        Returns:
            Dict: `lagrangian` and `motion`, how many symmetries were found, with their singular
            values; `drift`, the largest change of a conserved quantity along true motions, in its
            standard deviation over the states, the median over starts of the worst of them;
            `terms`, the formula's names and coefficients; `support`, whether its terms are right,
            and `coefficients`, the largest relative error; or where there is more than one formula
            `accelerations`, how far those of the family's sum are off, relative, as
            `evaluate.acceleration_error` has it; `unexplained`, `family` and `seconds`.
        """
        case = readable_systems()[self.name]
        states = case.states(self.seed) if self.states is None else self.states
        found = {}
        some = tuple(x[:1000] for x in states)
        for kind, function in (("lagrangian", lagrangian), ("motion", acceleration)):
            one = reading.symmetries(function, some, angles=case.system.angles)
            found[kind] = len(one)
            found[f"{kind}_right"] = len(one) == getattr(case, kind)
            found[f"{kind}_values"] = one.singular_values.tolist()
            if kind == "lagrangian":
                found["drift"] = self._drift(case, one, some)
                if self.name == "Kepler" and len(one) == 1:
                    found["angle"] = _angle(one.found[0].A)
        return found | self._formula(case, acceleration, states)

    def _formula(self, case, acceleration, states):
        began = perf_counter()
        try:
            found = reading.formula(acceleration, states, case.library, angles=case.system.angles)
        except reading.FormulaError as error:
            return {"support": False, "failed": str(error)}
        terms = dict(zip(found.best.library.names, found.best.coefficients.tolist(), strict=True))
        told = {
            "terms": terms,
            "unexplained": found.best.unexplained,
            "family": len(found.family),
            "seconds": perf_counter() - began,
        }
        if not case.truth:
            told["accelerations"] = _off(case, found, states)
        else:
            unit = next(iter(case.truth))
            told["support"] = set(terms) == set(case.truth)
            if told["support"]:
                away = [abs(terms[k] / terms[unit] / x - 1) for k, x in case.truth.items()]
                told["coefficients"] = max(away)
        return told

    def _drift(self, case, found, states):
        """How constant what is conserved is, along true motions while these stay inside."""
        drifts = []
        for conserved, one in zip(found.conserved, found.found, strict=True):
            if conserved is None:
                return np.inf
            drifts.append(_drift_of(case, conserved, one, states))
        return float(max(drifts)) if drifts else None


def rolled_out(case, model, params, seed=0):
    """The double pendulum's network and its formula, both followed by `double_pendulum_protocol`.

    Returns:
        Dict: for `"network"` and `"formula"` the figures of `evaluate.energy_error` over 100 s, and
        `apart`, the seconds until a motion is a tenth of a radian off the true one, the median over
        starts. Empty where there is no formula.
    """
    protocol = double_pendulum_protocol(40)
    law = partial(model.acceleration, params)
    try:
        found = reading.formula(law, case.states(seed), case.library, angles=case.system.angles)
    except reading.FormulaError:
        return {}
    with integrate.double_precision():
        laws = {"network": law, "formula": mechanics.acceleration(found.lagrangian)}
        truth = protocol.motions(case.system.acceleration)
        told = {}
        for name, one in laws.items():
            motions = protocol.motions(one)
            away = np.abs(np.asarray(motions[0]) - np.asarray(truth[0])).max(axis=2) > 0.1
            apart = np.where(away.any(axis=1), away.argmax(axis=1), away.shape[1]) * protocol.frame
            energy = evaluate.energy_error(case.system.energy, *motions, scale=protocol.unit)
            told[name] = {**energy, "apart": float(np.median(apart))}
    return told


def read_measured(model, params):
    """The formula of a real double pendulum, with friction, off a model of it.

    At states along its own motions from the starts of the pieces that it was trained and validated
    on.

    Returns:
        Dict: `terms` and `intervals` by name, those of friction with a D: before them, and
        `unexplained`.
    """
    protocol = MeasuredProtocol()
    followed = [protocol.follow(model, params, piece) for piece in (*TRAINING, *VALIDATION)]
    q, q_dot = (np.concatenate([x[k] for x in followed]) for k in (1, 2))
    friction = reading.terms("q_dot[0]**2", "q_dot[0]*q_dot[1]", "q_dot[1]**2")
    found = reading.formula(
        partial(model.acceleration, params), (q, q_dot), TURNING, friction=friction,
        angles=(True, True),
    ).best  # fmt: skip
    names = (*found.library.names, *(f"D: {x}" for x in found.friction.names))
    return {
        "terms": dict(zip(names, found.coefficients.tolist(), strict=True)),
        "intervals": dict(zip(names, found.intervals.tolist(), strict=True)),
        "unexplained": found.unexplained,
    }


def _off(case, found, states):
    """The relative error of a formula's accelerations; infinite where a coordinate has none."""
    if not found.needed:
        return np.inf
    with integrate.double_precision():
        state = [jnp.asarray(np.asarray(x, float)) for x in states]
        truth = jax.vmap(case.system.acceleration)(*state)
        errors = evaluate.acceleration_error(
            mechanics.acceleration(found.lagrangian), *state, truth
        )
    return errors["acceleration_relative_l2"]


def _angle(A):
    """The angle between a generator and that of a rotation, in radians."""
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    cosine = abs(np.sum(A * turn)) / np.linalg.norm(A) / np.linalg.norm(turn)
    return float(np.arccos(min(1.0, cosine)))


def _drift_of(case, conserved, symmetry, states, starts=10, frames=400):
    timed = "t" in inspect.signature(conserved).parameters
    scale = reading.States.of(states, case.system.angles)
    dt = PERIODS * 2 * np.pi * scale.time / frames
    with integrate.double_precision():
        q, q_dot, *context = (jnp.asarray(np.asarray(x[:starts], float)) for x in states)
        low, high = (np.concatenate([getattr(np.asarray(x), of)(axis=0) for x in states[:2]])
                     for of in ("min", "max"))  # fmt: skip
        turning = np.concatenate([case.system.angles, (False,) * case.system.dim]).astype(bool)
        clock = jnp.arange(frames + 1) * dt

        def along(q, q_dot, *context):
            def law(q, q_dot):
                return case.system.acceleration(q, q_dot, *context)

            moved = integrate.rollout(law, q, q_dot, dt=dt, steps=frames, substeps=32)
            times = (clock,) if timed else ()
            return *moved, jax.vmap(lambda q, v, *t: conserved(q, v, *context, *t))(*moved, *times)

        moved = jax.jit(jax.vmap(along))(q, q_dot, *context)
        here = jax.vmap(lambda q, v, *c: conserved(q, v, *c, *((0.0,) if timed else ())))
        values = np.asarray(here(*(jnp.asarray(np.asarray(x, float)) for x in states)))
    q, q_dot, value = map(np.asarray, moved)
    away = np.concatenate([q, q_dot], axis=2)
    inside = (((away >= low) & (away <= high)) | turning).all(axis=2)
    inside = np.logical_and.accumulate(inside, axis=1)
    change = np.abs(value - value[:, :1])
    return np.median(np.where(inside, change, 0).max(axis=1)) / np.std(values)
