"""What measured motions are like: how many, how long, how fast, and how noisy."""

import dataclasses

import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs
from lnn_tutorial.data import door
from lnn_tutorial.data.motion import Motions

FITS = ((3, 3), (4, 5), (5, 7))
"""Local polynomials that a frame is compared with: neighbours on each side, and the degree."""

GAP = 4.0
"""A step longer than so many median steps is a gap."""

NORMAL = (0.3186, 0.6745)
"""A quarter, and a half, of normal numbers are closer to zero than so many σ."""

FAR = 6.0
"""An outlier is so many σ away from where its neighbours expect it."""

_BLOCK = 50_000


@dataclasses.dataclass(frozen=True, eq=False)
class Description:
    """What `describe` finds; printed, a small table.

    Args:
        names: the coordinates.
        units: their units, "rad" for angles and "" for others.
        motions, frames: how many.
        seconds: how long, all motions together.
        step: the median time between two frames, in seconds.
        shortest, longest: the shortest and the longest step.
        gaps: how many steps are longer than four median ones.
        low, high: each coordinate's range `[d]`.
        speed: the root mean square of each velocity `[d]`, between frames.
        noise: the standard deviation σ of each coordinate's noise `[d]`, an estimate; NaN where no
            motion has seven frames.
        at_most: for each coordinate, whether that estimate is an upper bound only, since the motion
            itself is fast for the frame rate.
        outliers: for each coordinate, how many single frames are farther than 6 σ from where their
            neighbours expect them.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    motions: int
    frames: int
    seconds: float
    step: float
    shortest: float
    longest: float
    gaps: int
    low: np.ndarray
    high: np.ndarray
    speed: np.ndarray
    noise: np.ndarray
    at_most: tuple[bool, ...]
    outliers: tuple[int, ...]

    @property
    def irregularity(self):
        """The longest step over the shortest, 1 for a steady clock."""
        return self.longest / self.shortest

    def __str__(self):
        rate = f"{door.rate(self.step)} a second, one every {self.step:.3g} s"
        if self.irregularity > 1.01:
            rate += f" (steps from {self.shortest:.3g} to {self.longest:.3g} s)"
        lines = [
            ("motions", str(self.motions)),
            ("frames", f"{self.frames}, in {self.seconds:.3g} s"),
            ("rate", rate),
            ("gaps", str(self.gaps) if self.gaps else "none"),
        ]
        width = max(len("outliers"), *map(len, self.names)) + 2
        lines = [f"{name:<{width}}{value}" for name, value in lines]
        lines += ["", f"{'':<{width}}" + "".join(f"{x:>10}" for x in _HEADS)]
        for i, name in enumerate(self.names):
            noise = f"{'≤ ' if self.at_most[i] else ''}{self.noise[i]:.2g}"
            if np.isnan(self.noise[i]):
                noise = "unknown"
            numbers = (*(f"{x[i]:.4g}" for x in (self.low, self.high, self.speed)), noise)
            cells = "".join(f"{x:>10}" for x in (*numbers, self.outliers[i], self.units[i]))
            lines.append(f"{name:<{width}}{cells}".rstrip())
        return "\n".join(lines)


_HEADS = ("lowest", "highest", "speed", "noise σ", "outliers", "unit")


def describe(motions, angles=None, names=None):
    r"""Say what measured motions are like.

    The noise is estimated from how far each frame lies from a polynomial through its neighbours on
    both sides, a distance of σ √(1 + w·w) where the polynomial weighs them by w. For normal noise
    the median of |distance| / √(1 + w·w) is 0.6745 σ, and a few outliers hardly move it. This is
    done with polynomials of degree 3, 5 and 7, and the least estimate is given.

    Where the motion is fast for the frame rate, polynomials do not follow it, and the estimate is
    too large. It is marked as an upper bound where that shows: the highest degree finds 15 % less
    than the one before, or the nearest quarter of the frames is 15 % closer than the median lets
    expect, since only parts of the motion are fast, or only one degree could be tried. Noise that
    goes along from frame to frame, as after smoothing, is not seen.

    Args:
        motions: `Motions`.
        angles: for each coordinate, whether it is an angle; wrapped ones are unwrapped for this.
        names: the coordinates' names; q[0], q[1], … if None.

    Returns:
        `Description`.

    Raises:
        TypeError: what is given are no motions.
        ValueError: angles or names are not one for each coordinate.

    Source: the median of the distances is Donoho and Johnstone's (1994) estimate of a noise level,
    here with polynomials in the place of wavelets.
    """
    if not isinstance(motions, Motions):
        raise TypeError(f"expected Motions, got {type(motions).__name__}")
    d = motions.q.shape[1]
    angles = (False,) * d if angles is None else _inputs.flags("angles", angles, d)
    names = tuple(f"q[{i}]" for i in range(d)) if names is None else names
    names = tuple(map(str, _inputs.sequence("names", names, d)))
    t, q = motions.t, np.array(motions.q, np.float64)
    _, label = np.unique(motions.trajectory, return_inverse=True)
    first = np.append(True, label[1:] != label[:-1])
    for i in np.flatnonzero(angles):
        q[:, i] = door.unwrapped(q[:, i], first)[0]
    inside = ~first[1:]
    steps = np.diff(t)[inside]
    step = float(np.median(steps))
    velocity = np.diff(q, axis=0)[inside] / steps[:, None]
    found = [_noise(t, q[:, i], label, step) for i in range(d)]
    rounding = float(jnp.finfo(motions.q.dtype).eps)
    outliers = [_outliers(t, q[:, i], label, step, found[i][0], rounding) for i in range(d)]
    return Description(
        names=names,
        units=tuple("rad" if angle else "" for angle in angles),
        motions=int(first.sum()),
        frames=len(t),
        seconds=float(steps.sum()),
        step=step,
        shortest=float(steps.min()),
        longest=float(steps.max()),
        gaps=int((steps > GAP * step).sum()),
        low=q.min(0),
        high=q.max(0),
        speed=np.sqrt(np.mean(velocity**2, axis=0)),
        noise=np.array([sigma for sigma, _ in found]),
        at_most=tuple(bound for _, bound in found),
        outliers=tuple(outliers),
    )


def _noise(t, x, label, step):
    """σ, and whether it is an upper bound only."""
    medians, quarters = [], []
    for side, degree in FITS:
        centres = _centres(t, label, side, step)
        if len(centres):
            away = np.abs(_away(t, x, centres, _beside(side), degree))
            quarter, median = np.quantile(away, [0.25, 0.5]) / NORMAL
            quarters.append(quarter)
            medians.append(median)
    if not medians:
        return np.nan, False
    best = int(np.argmin(medians))
    agree = len(medians) > 1 and medians[-1] > 0.85 * medians[-2]
    return float(medians[best]), not (agree and quarters[best] > 0.85 * medians[best])


def _beside(side):
    return np.delete(np.arange(-side, side + 1), side)


def _centres(t, label, side, step):
    """The frames with enough neighbours on each side, and no gap among them."""
    centres = np.arange(side, len(t) - side)
    whole = label[centres - side] == label[centres + side]
    return centres[whole & (t[centres + side] - t[centres - side] < 4 * side * step)]


def _away(t, x, centres, beside, degree):
    """How far some frames are from a polynomial through others beside them, in units of √(1 + w·w).

    Args:
        t, x: times and positions `[n]`.
        centres: which frames `[m]`.
        beside: where the others are, seen from each `[k]`.
        degree: of the polynomial.
    """
    found, at_centre = [], np.polynomial.legendre.legvander(np.zeros(1), degree)[0]
    for begin in range(0, len(centres), _BLOCK):
        here = centres[begin : begin + _BLOCK]
        others = here[:, None] + beside
        times = t[others] - t[here][:, None]
        basis = np.polynomial.legendre.legvander(
            times / np.abs(times).max(axis=1, keepdims=True), degree
        )
        # The small diagonal keeps it regular where a clock gives two frames all but one time.
        gram = np.swapaxes(basis, 1, 2) @ basis + 1e-12 * np.eye(degree + 1)
        weights = (basis @ np.linalg.solve(gram, at_centre[:, None]))[..., 0]
        expected = (weights * x[others]).sum(axis=1)
        found.append((x[here] - expected) / np.sqrt(1 + (weights**2).sum(axis=1)))
    return np.concatenate(found) if found else np.zeros(0)


def _outliers(t, x, label, step, sigma, rounding):
    """How many single frames are farther than 6 σ from where their neighbours expect them.

    One of these neighbours may be left out, or an outlier beside a frame would make it one. And a
    frame must lie three times as far as its neighbours do without it, or a fast motion would. What
    is found is taken away, until nothing more is.
    """
    if not sigma > 0:
        return 0
    sigma = max(sigma, rounding * np.abs(x).max())
    count, side, degree = 0, *FITS[0]
    for _ in range(5):
        centres, beside = _centres(t, label, side, step), _beside(side)
        far = np.abs(_away(t, x, centres, beside, degree)) > FAR * sigma
        centres = centres[far]
        away = _least_away(t, x, centres, beside, degree)
        lonely = away > np.maximum(FAR * sigma, 3 * _others_away(t, x, centres, label))
        centres, away = centres[lonely], away[lonely]
        if not len(centres):
            break
        # Of frames whose neighbourhoods overlap the farthest is the outlier.
        order = np.argsort(-away)
        taken = np.zeros(len(t) + 2 * side, bool)
        gone = []
        for frame in centres[order]:
            if not taken[frame : frame + 2 * side + 1].any():
                gone.append(frame)
                taken[frame + side] = True
        count += len(gone)
        t, x, label = (np.delete(y, gone) for y in (t, x, label))
    return count


def _least_away(t, x, centres, beside, degree):
    """How far frames are from a polynomial through the others, but for the one that spoils it."""
    left_out = [np.delete(beside, i) for i in range(len(beside))]
    return np.min([np.abs(_away(t, x, centres, some, degree)) for some in left_out], axis=0)


def _others_away(t, x, centres, label):
    """How far the two frames on each side are from polynomials without the one between them."""
    side, degree = FITS[0]
    most = np.zeros(len(centres))
    for shift in (-2, -1, 1, 2):
        beside = _beside(side + 1)
        beside = beside[beside != -shift]
        others = centres + shift
        first, last = others - side - 1, others + side + 1
        known = (first >= 0) & (last < len(t))
        known[known] = label[first[known]] == label[last[known]]
        away = _least_away(t, x, others[known], beside, degree)
        most[known] = np.maximum(most[known], away)
    return most
