r"""Symmetries and formulas read off closed forms and off networks, over systems, seeds and signals.

    python -m benchmarks.reading [--jobs 2] [--only STUDY] [--json FILE]

The systems are those of `experiments.readable_systems`; each run is judged by
`experiments.ReadingProtocol`.

closed    the true accelerations and Lagrangians of ten systems, at five draws of states
live      ten systems, a Lagrangian network trained on accelerations, ten seeds; of the double
          pendulum also what its formula is worth when it is followed for 100 s
signals   the double pendulum learned from states along motions, from exact positions, and from
          positions with noise of 10⁻⁴ and 10⁻³ rad, ten seeds of the last and three of the others
measured  the shipped networks of a real double pendulum, with the terms of friction beside
size      500 terms at 3000 states

It says beforehand how many runs there are, writes each result to FILE as it comes, and skips
what FILE has already: a killed run goes on where it was. FILE is by default the table that comes
with the package. Each job computes on one thread; with two jobs two runs share the machine.
"""

from time import perf_counter

import jax
import numpy as np

from benchmarks import study
from lnn_tutorial import experiments, learning, reading, store, train

MINUTES = {"closed": 0.1, "live": 0.5, "signals": 1.5, "measured": 0.2, "size": 0.3}
"""Of one run, by study."""

SIGNALS = {"motions": 3, "positions": 3, "noise 1e-4": 3, "noise 1e-3": 10}
"""Seeds by signal."""


def runs(name):
    """The runs of a study: `{run's name: (function, arguments)}`."""
    if name == "closed":
        return {f"closed, {x}, {k}": (_closed, (x, k))
                for x in experiments.readable_systems() for k in range(5)}  # fmt: skip
    if name == "live":
        return {f"live, {x}, {k}": (_live, (x, k))
                for x in experiments.readable_systems() for k in range(10)}  # fmt: skip
    if name == "signals":
        return {f"signals, {x}, {k}": (_signal, (x, k))
                for x, seeds in SIGNALS.items() for k in range(seeds)}  # fmt: skip
    if name == "measured":
        return {f"measured, {x}": (_measured, (x,)) for x in ("lnn", "delan", "physicists_more")}
    return {"size, 500 terms": (_size, ())}


def _closed(name, seed):
    system = experiments.readable_systems()[name].system
    return experiments.ReadingProtocol(name, seed).of(system.acceleration, system.lagrangian)


def _live(name, seed):
    case, protocol = experiments.readable_systems()[name], experiments.ReadingProtocol(name, seed)
    settings = {"seed": seed, "steps": experiments.READ_STEPS}
    try:
        fit = case.recipe.fit(case.model, label=name, progress=False, **settings)
    except train.DivergedError as error:
        return {"diverged": str(error)}
    found = protocol.figures(case.model, fit.params)
    if name == "double pendulum":
        found |= experiments.rolled_out(case, case.model, fit.params, seed)
    return {**settings, "train_seconds": fit.seconds, **found}


def _signal(name, seed):
    case = experiments.readable_systems()["double pendulum"]
    key, steps = jax.random.key(seed), 10_000
    known = {"key": key, "steps": steps, "progress": False}
    if name == "motions":
        motions = experiments.measured_motions(seed=seed)
        fit = learning.fit_states(case.model, motions, **known)
        states = motions.q, motions.q_dot
    else:
        signal = "exact" if name == "positions" else name
        seen = experiments.measured_positions(signal, seed)
        noise = experiments.SIGNALS[signal] or None  # exact positions have rounds of their own
        fit = learning.fit_positions(case.model, seen.motions, noise=noise, **known)
        states = seen.q, seen.q_dot
    rows = np.random.default_rng(seed).choice(len(states[0]), experiments.READ_STATES, False)
    states = tuple(np.asarray(x)[rows] for x in states)
    protocol = experiments.ReadingProtocol("double pendulum", seed, states)
    found = protocol.figures(case.model, fit.params)
    return {"seed": seed, "steps": steps, "train_seconds": fit.seconds, **found}


def _measured(name):
    model, params = store.load_model(f"pendulum_{name}_22")
    return experiments.read_measured(model, params)


def _size():
    case = experiments.readable_systems()["double pendulum"]
    library = reading.angles(2, 3) * (reading.terms("1") + reading.velocities(2, 4))
    library = library.only(range(500))
    states = tuple(np.asarray(x) for x in case.states())
    began = perf_counter()
    found = reading.formula(case.system.acceleration, states, library, angles=(True, True))
    return {"seconds": perf_counter() - began, "terms": list(found.best.library.names),
            "states": len(states[0]), "library": len(library)}  # fmt: skip


if __name__ == "__main__":
    study.main(__doc__, "reading", runs, MINUTES)
