r"""Five kinds of network on many systems: the paper's Table 1 as an experiment, over seeds.

    python -m benchmarks.five_kinds [--jobs 2] [--only STUDY | --only "SYSTEM, MODEL"] [--json FILE]

Contestants and systems are those of `experiments.contests`; each is judged by
`experiments.KindProtocol`.

cells   every contestant on every system, five members each: on 4000 batches of states with their
        accelerations; for as much time as the Lagrangian network takes for these; on a tenth of the
        motions; and on motions without accelerations. Each chooses first between two peak rates,
        by 800 steps on accelerations
systems what each system is: its Lyapunov exponents and what the steps of the judge get wrong
again   six of the cells on other motions and from other seeds
long    the double and the damped pendulum, followed for 100 s, five seeds
cost    chains of 1 to 64 pendulums: time and memory of an acceleration and of a training step

It says beforehand how many runs there are, writes each result to FILE as it comes, and skips
what FILE has already: a killed run goes on where it was. FILE is by default the table that comes
with the package. Each job computes on one thread; with two jobs two runs share the machine.
"""

from functools import partial
from time import perf_counter

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks import study
from lnn_tutorial import data, evaluate, experiments, fields, integrate, models, systems, train

MINUTES = {"cells": 1.3, "systems": 0.3, "again": 0.6, "long": 0.7, "cost": 1.0}
"""Of one run, by study."""

MEMBERS, STEPS, SHARE = 5, 4000, 0.1
TUNING = {"seeds": (1000,), "steps": 800}
AGAIN = (
    ("double pendulum", "lnn"),
    ("double pendulum", "plain"),
    ("spring pendulum", "hnn"),
    ("Kepler", "delan"),
    ("magnetic charge", "hnn_canonical"),
    ("fast particle", "lnn"),
)
CHAINS = (1, 2, 4, 8, 16, 32, 64)


def runs(name):
    """The runs of a study: `{run's name: (function, arguments)}`."""
    contests = experiments.contests()
    if name == "cells":
        return {f"cells, {x}, {kind}": (_cell, (x, kind))
                for x, contest in contests.items() for kind in contest.kinds}  # fmt: skip
    if name == "systems":
        return {f"systems, {x}": (_system, (x,)) for x in contests}
    if name == "again":
        return {f"again, {x}, {kind}": (_again, (x, kind)) for x, kind in AGAIN}
    if name == "long":
        return {f"long, {x}, {seed}": (_long, (x, seed))
                for x in experiments.LONG for seed in range(MEMBERS)}  # fmt: skip
    return {f"cost, {d} pendulums": (_cost, (d,)) for d in CHAINS}


def _cell(name, kind):
    contest = experiments.contests()[name]
    motions = contest.motions(0)
    samples = contest.samples(motions)
    contestants = contest.models(samples)
    model, protocol = contestants[kind], experiments.KindProtocol(contest, samples)
    speed = {x: _step_seconds(contestants[x], samples) for x in {kind, "lnn"}}
    peak = _tuned(contest, motions, model)
    found = {
        "peak": peak,
        "times": contest.times,
        "ms_per_step": 1e3 * speed[kind],
        "ms_per_step_of_lnn": 1e3 * speed["lnn"],
        "us_per_acceleration": 1e6 * _acceleration_seconds(model, samples),
        "parameters": sum(x.size for x in jax.tree.leaves(model.init(jax.random.key(0)))),
    }
    few = contest.motions(0, SHARE)
    as_long = round(STEPS * speed["lnn"] / speed[kind])
    variants = {
        "states": (motions, "accelerations", STEPS),
        "time": (motions, "accelerations", as_long),
        "tenth": (few, "accelerations", STEPS),
        "motions": (motions, "motions", STEPS),
    }
    for variant, (seen, signal, steps) in variants.items():
        if variant == "time" and kind == "lnn":
            found["time"] = found["states"]
            continue
        recipe = experiments.KindRecipe(contest, seen, signal, peak)
        params, lost, seconds = _members(recipe, model, range(MEMBERS), steps)
        found[variant] = _figures(protocol, model, params, lost)
        found[variant] |= {"steps": steps, "train_seconds": seconds}
        if variant == "states" and params is not None:
            curves = protocol.curves(model, params)
            found["curves"] = {key: x.tolist() for key, x in curves.items()}
    return found


def _again(name, kind):
    contest = experiments.contests()[name]
    motions = contest.motions(1)
    samples = contest.samples(motions)
    model, protocol = contest.models(samples)[kind], experiments.KindProtocol(contest, samples)
    recipe = experiments.KindRecipe(contest, motions, peak=_tuned(contest, motions, model))
    params, lost, _ = _members(recipe, model, range(MEMBERS, 2 * MEMBERS), STEPS)
    return _figures(protocol, model, params, lost)


def _tuned(contest, motions, model):
    """The peak rate that leaves the smallest loss on motions that are not trained on."""
    held_out = contest.samples(contest.motions(2, 0.02)).batch()

    def loss(peak):
        recipe = experiments.KindRecipe(contest, motions, peak=peak)
        try:
            found = recipe.fit(model, **TUNING, held_out=held_out).held_out[-1, 1]
            return found if np.isfinite(found) else np.inf
        except train.DivergedError:
            return np.inf

    return min(experiments.PEAKS, key=loss)


def _members(recipe, model, seeds, steps):
    """Parameters of the members that training does not lose, how many it loses, and seconds."""
    try:
        fit = recipe.fit(model, seeds=seeds, steps=steps)
        return fit.params, 0, fit.seconds
    except train.DivergedError:
        pass
    kept, seconds = [], 0.0
    for seed in seeds:
        try:
            fit = recipe.fit(model, seeds=[seed], steps=steps)
        except train.DivergedError:
            continue
        kept.append(fit.params)
        seconds += fit.seconds
    params = jax.tree.map(lambda *x: jnp.concatenate(x), *kept) if kept else None
    return params, len(seeds) - len(kept), seconds


def _figures(protocol, model, params, lost):
    """Figures of all members; a lost one is infinitely wrong."""
    if params is None:
        names = ("acceleration", "outside", *protocol.floor())
        return {"lost": lost} | {name: [np.inf] * lost for name in names}
    found = protocol.figures(model, params)
    return {"lost": lost} | {k: [*x.tolist(), *[np.inf] * lost] for k, x in found.items()}


def _step_seconds(model, samples, steps=200, batch=experiments.BATCH):
    """What one step of training takes, the best of three runs."""
    loss, optimizer = train.acceleration_loss(model), train.muon(0.01, steps)

    @jax.jit
    def run(params):
        def one(k, carried):
            params, moments = carried
            slope = jax.grad(loss)(params, samples(jax.random.key(k), batch))
            updates, moments = optimizer.update(slope, moments, params)
            return optax.apply_updates(params, updates), moments

        return jax.lax.fori_loop(0, steps, one, (params, optimizer.init(params)))

    return _best(run, model.init(jax.random.key(0))) / steps


def _acceleration_seconds(model, samples, states=512):
    q, q_dot, _, *context = (x[:states] for x in samples.batch())
    params = model.init(jax.random.key(0))
    run = jax.jit(lambda params: jax.vmap(partial(model.acceleration, params))(q, q_dot, *context))
    return _best(run, params, repeats=10) / len(q)


def _best(run, argument, repeats=3):
    jax.block_until_ready(run(argument))
    took = []
    for _ in range(repeats):
        began = perf_counter()
        jax.block_until_ready(run(argument))
        took.append(perf_counter() - began)
    return min(took)


def _system(name):
    contest = experiments.contests()[name]
    samples = contest.samples(contest.motions(0))
    found = {"T": contest.time, "floor": experiments.KindProtocol(contest, samples).floor()}
    found["states"] = len(samples)
    if samples.context is None and not hasattr(contest.system, "exact"):
        with integrate.double_precision():
            start = [np.asarray(x, float) for x in contest.starts(jax.random.key(5), 60)]
            steps = {"dt": contest.time / 10, "steps": 10 * contest.times, "substeps": 20}
            rates = evaluate.lyapunov_exponent(contest.system.acceleration, *start, **steps)
        found["lyapunov"] = float(np.median(rates))
    return found


def _long(name, seed):
    return experiments.followed_for_long(name, seed)


def _cost(d):
    system = _chain(d)
    samples = _labelled(system)
    found = {}
    face = {"dim": d, "angles": system.angles, "width": 48, "depth": 3, "activation": "silu"}
    contestants = {
        "plain": models.PlainNetwork(**face),
        "ode": models.NeuralODE(**face),
        "hnn": models.HNN(**face),
        "hnn_canonical": models.HNN(**face, momenta_of=system),
        "delan": models.DeLaN(**face),
        "lnn": models.LNN(**face),
    }
    if d > 2:
        node = models.LNN(dim=3, width=48, depth=3, activation="silu")
        contestants["graph"] = fields.LagrangianGraphNetwork(node, fields.ring(d))
    for kind, model in contestants.items():
        found[kind] = _cost_of(model, samples)
    return found


def _chain(d):
    few = {1: systems.Pendulum, 2: systems.DoublePendulum}
    return few[d]() if d in few else systems.CoupledPendulums(nodes=d)


def _labelled(system, states=2048):
    q, q_dot, q_ddot = train.labelled(system)(jax.random.key(0), states)
    return data.arrays(q, q_dot, q_ddot)


def _cost_of(model, samples):
    """Time and memory of one acceleration and of one training step, for a batch of `BATCH`."""
    params = model.init(jax.random.key(0))
    batch = tuple(x[: experiments.BATCH] for x in samples.batch())
    programs = {
        "acceleration": lambda params: jax.vmap(partial(model.acceleration, params))(*batch[:2]),
        "step": lambda params: jax.grad(train.acceleration_loss(model))(params, batch),
    }
    found = {}
    for name, program in programs.items():
        compiled = jax.jit(program).lower(params).compile()
        found[name] = {
            "us_per_state": 1e6 * _best(compiled, params, repeats=5) / experiments.BATCH,
            "megabytes": compiled.memory_analysis().temp_size_in_bytes / 1e6,
        }
    return found


if __name__ == "__main__":
    study.main(__doc__, "five_kinds", runs, MINUTES)
