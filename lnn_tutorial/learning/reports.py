"""What is to be said of a trained model to someone who knows the truth no better than it."""

import dataclasses
from functools import partial

import numpy as np

from lnn_tutorial.learning import judge

LOST = 0.02
"""A learned energy that falls by this share of the largest kinetic energy looks like friction."""

OVERFITTED = 1.3
"""A held-out loss so many times the training loss is one too many."""


@dataclasses.dataclass(frozen=True, eq=False)
class Report:
    """An honest report; printed, a page of text.

    Args:
        figures: dict that JSON can hold, NaN aside (`store.for_json`): `horizons`, `noise`, and
            under `model` and `plain` the figures of each, see `measured`.
        curves: what `plots.learned` draws, of NumPy.
        names, units: of the coordinates.
    """

    figures: dict
    curves: dict
    names: tuple[str, ...]
    units: tuple[str, ...]

    def __str__(self):
        return "\n".join(_text(self.figures, self.names, self.units))


def report(plan, model, params, plain=None, plain_params=None):
    """`Report` of a model, and of a plain network beside it, on the held-out motions of a plan."""
    kept = _lengths(plan.held_out, plan.frames)
    seconds = judge.horizons(plan.held_out, kept[-1], plan.step)
    figures = {
        "horizons": seconds,
        "noise": plan.noise.tolist(),
        "noise_at_most": list(plan.at_most),
    }
    curves = {}
    laws = {"model": partial(model.acceleration, params)}
    if plain is not None:
        laws["plain"] = partial(plain.acceleration, plain_params)
    for name, other in (("model", "plain"), ("plain", "model")):
        if name in laws:
            trained = (model, params) if name == "model" else (plain, plain_params)
            against = laws.get(other)
            figures[name], curves[name] = measured(plan, *trained, against, kept, seconds)
    units = tuple("rad" if angle else "" for angle in plan.angles)
    return Report(figures, curves, plan.names, units)


def _lengths(motions, frames):
    """The windows that leave room for a rollout in half of the held-out motions."""
    longest = np.unique(motions.trajectory, return_counts=True)[1].max() - 1
    return tuple(k for k in frames if 2 * k <= longest) or frames[:1]


def measured(plan, model, params, other, frames, seconds):
    """The figures of one model on held-out motions, and the curves of its figure.

    Returns:
        `(figures, curves)`. Figures, lists with a number for each coordinate or horizon:
        `distance`, `error`, `error_at_most` of positions, by horizon; `acceleration`, see
        `judge.accelerations`; `loss_training`, `loss_held_out`; of a Lagrangian also
        `energy_…` in units of the largest kinetic energy, and `mass_…`. `energy_spread` is robust:
        the median distance of the states from the median energy of their motion, as the σ of normal
        numbers.
    """
    law = partial(model.acceleration, params)
    motions, noise = plan.held_out, plan.noise
    rows = judge.spread_rows(motions, judge.STARTS, ahead=_ahead(seconds[0], plan.step))
    begun = judge.windows(motions, law, frames, noise, rows, degree=0)
    lost = len(rows) - (0 if begun is None else len(begun[1]))
    found, curves = {"starts": len(rows), "starts_lost": lost}, {}
    unknown = [[np.inf] * len(plan.names)] * len(seconds)
    found |= dict.fromkeys(("distance", "error", "error_at_most"), unknown)
    if begun is not None:
        went = judge.rolled_out(model, params, motions, *begun, seconds[-1], plan.step)
        seen = len(np.unique(went["at"]))
        told = [
            judge.without_noise(*judge.away(went, x, plan.angles), noise, seen, plan.unsure, lost)
            for x in seconds
        ]
        for k, name in enumerate(("distance", "error", "error_at_most")):
            found[name] = [one[k].tolist() for one in told]
        curves["rollout"] = _example(motions, went)
    size, step = plan.acceleration, plan.step
    found["acceleration"] = judge.accelerations(motions, law, other, frames, noise, size, step)
    length = judge.quiet(frames, noise, size, step)[0]
    for name, which in (("training", plan.training), ("held_out", motions)):
        found[f"loss_{name}"] = judge.loss(law, which, length, noise)
    states = None
    if hasattr(model, "lagrangian"):
        rows = judge.spread_rows(motions, judge.STATES)
        states = judge.windows(motions, law, [length], noise, rows, all_of_them=True)
    if states is not None:
        more, curves["energy"] = _energies(plan, model, params, *states[:2])
        found |= more
    return found, curves


def _ahead(seconds, step):
    """Frames that are left after the last start: those of the shortest horizon."""
    return int(np.ceil(seconds / step)) + 1


def _example(motions, went):
    """The rollout that goes on for longest, beside what was measured."""
    length = np.nansum(~np.isnan(went["after"]), axis=1)
    k = int(length.argmax())
    t = motions.t[went["row"][k]]
    known = ~np.isnan(went["after"][k])
    return {
        "begins": float(t),
        **{name: went[name][k][known] for name in ("after", "measured", "predicted")},
    }


def _energies(plan, model, params, states, rows):
    """What there is to say of a learned Lagrangian: its energy, its mass matrix, its friction."""
    motions = plan.held_out
    mass = judge.mass(model, params, states)
    velocity, units = states["q_dot"], np.broadcast_to(model.velocity_scale, len(plan.names))
    values = np.linalg.eigvalsh(mass * units * units[:, None])
    sign, size = np.sign(np.median(values)) or 1.0, np.abs(values)
    condition = size.max(axis=1) / np.maximum(size.min(axis=1), 1e-300)
    kinetic = np.abs(np.einsum("ni,nij,nj->n", velocity, mass, velocity)) / 2
    scale = max(float(np.quantile(kinetic, 0.95)), 1e-30)
    energy = sign * judge.at_states(model.energy, params, states) / scale
    labels, t = motions.trajectory[rows], motions.t[rows]
    parts = [energy[labels == label] for label in np.unique(labels)]
    parts = [part for part in parts if len(part) >= 6] or [np.full(6, np.nan)]
    thirds = [(part[: len(part) // 3], part[-(len(part) // 3) :]) for part in parts]
    falls = np.array([np.median(first) - np.median(last) for first, last in thirds])
    found = {
        "energy_scale": scale,
        "energy_spread": _spread(parts),
        "energy_fall": float(np.median(falls)),
        "energy_falls": float(np.mean(falls > 0)),
        "mass_condition_median": float(np.median(condition)),
        "mass_condition_largest": float(condition.max()),
        "mass_definite": float(np.mean((sign * values > 0).all(axis=1))),
    }
    if model.forces:
        power = sign * judge.friction_power(model, params, states) / scale
        found["friction_power"] = float(power.mean())
        found["friction_power_largest"] = float(power.max())
    elif motions.torque is None:
        found |= judge.drift(model, params, motions, states, rows, scale, plan.step)
    return found, {"t": t, "label": labels, "energy": energy}


def _spread(parts):
    """The σ of numbers about the median of their part, by the median distance: a robust one."""
    away = np.concatenate([np.abs(part - np.median(part)) for part in parts])
    return float(np.median(away)) / judge.HALF


def _text(figures, names, units):
    """The lines of a report."""
    heads = [f"{x:g} s" for x in figures["horizons"]]
    width = max(18, *(len(n) + len(u) + 5 for n, u in zip(names, units, strict=True)))
    labels = [f"{n} ({u})" if u else n for n, u in zip(names, units, strict=True)]
    first, both = figures["model"], "plain" in figures

    def row(name, cells):
        return f"  {name:<{width}}" + "".join(f"{cell:>11}" for cell in cells)

    yield "On held-out motions, from starts fitted to a window of frames, after its last frame:"
    yield row("", ["noise", *heads])
    yield f"distance from the measured positions, median of {first['starts']} starts"
    for i, label in enumerate(labels):
        yield row(label, [_short(figures["noise"][i]), *(_short(x[i]) for x in first["distance"])])
    yield "the same without the noise"
    yield from _errors(first, labels, row)
    if both:
        yield "the same of the plain network"
        yield from _errors(figures["plain"], labels, row)
    yield ""
    averaged = "" if both else f", averaged over {max(first['acceleration']['seconds']):.2g} s"
    yield f"Accelerations, in half of the states less than about{averaged}:"
    yield row("", ["error", "of", *(["plain"] if both else [])])
    for i, label in enumerate(labels):
        cells = [_told(first["acceleration"], i), _short(first["acceleration"]["typical"][i])]
        yield row(label, [*cells, *([_told(figures["plain"]["acceleration"], i)] if both else [])])
    yield ""
    yield from _sentences(figures, both)


def _errors(found, labels, row):
    for i, label in enumerate(labels):
        cells = [
            _bounded(error[i], most[i])
            for error, most in zip(found["error"], found["error_at_most"], strict=True)
        ]
        yield row(label, ["", *cells])


def _told(acceleration, i):
    return _bounded(acceleration["error"][i], acceleration["at_most"][i])


def _bounded(error, at_most):
    return f"< {_short(at_most)}" if np.isnan(error) else _short(error)


def _short(x):
    if np.isnan(x):
        return "–"
    return "lost" if np.isinf(x) else f"{x:.2g}"


def _sentences(figures, both):
    found = figures["model"]
    if any(figures["noise_at_most"]):
        yield (
            "The noise is known as an upper bound only, so the errors without it may be larger "
            "than is said."
        )
    if "energy_scale" in found:
        yield from _of_the_energy(found)
        yield (
            f"Mass matrix: condition {found['mass_condition_median']:.2g} in the median, "
            f"{found['mass_condition_largest']:.2g} at most; definite at "
            f"{found['mass_definite']:.1%} of the states"
            + ("." if found["mass_definite"] == 1 else ": elsewhere accelerations may run away.")
        )
    training, held_out = found["loss_training"], found["loss_held_out"]
    said = f"Loss: {training:.3g} on what was learned from, {held_out:.3g} held out"
    yield said + (
        ": more data, or fewer steps, would help."
        if held_out > OVERFITTED * training
        else ": no sign of learning by heart."
    )
    if both:
        yield _compared(found, figures["plain"], figures["horizons"])


def _of_the_energy(found):
    unit = "of the largest kinetic energy"
    if "energy_drift" in found:
        yield (
            f"Energy: over {found['energy_drift_seconds']:.3g} s of its own motion it strays by "
            f"{_share(found['energy_drift'])} {unit}; along the measured motions by "
            f"{_share(found['energy_spread'])} (by the median: a few bad states do not count)."
        )
    if "friction_power" in found:
        yield (
            f"Friction takes {-found['friction_power']:.2%} {unit} in a second on average, and "
            + ("gives none anywhere." if found["friction_power_largest"] <= 0 else "gives some.")
        )
    elif found["energy_fall"] > LOST and found["energy_falls"] >= 0.8:
        yield (
            f"The learned energy falls by {_share(found['energy_fall'])} {unit} along a measured "
            "motion: that looks like friction; try --friction (friction=True)."
        )


def _share(x):
    return "all (the motion is lost)" if not np.isfinite(x) else f"{x:.2%}"


def _compared(found, plain, horizons):
    """Whether a plain network does as well, at the longest horizon where one stands out."""
    ours, theirs = (np.array(x["error"][-1]) for x in (found, plain))
    bounds = [np.array(x["error_at_most"][-1]) for x in (found, plain)]
    ours, theirs = (
        np.where(np.isnan(x), bound, x) for x, bound in zip((ours, theirs), bounds, strict=True)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = float(np.exp(np.mean(np.log(theirs / ours))))
    over = f"over {horizons[-1]:g} s"
    if not np.isfinite(ratio):
        return f"A plain network loses the motion {over}."
    if ratio > 1.25:
        return f"A plain network is {ratio:.2g} times as far off {over}."
    if ratio < 0.8:
        return f"A plain network does better: {over} this one is {1 / ratio:.2g} times as far off."
    return f"A plain network does as well {over}."
