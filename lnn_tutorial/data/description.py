"""What measured motions are like: how many, how long, how fast, and how noisy."""

import dataclasses

import numpy as np

from lnn_tutorial import _inputs
from lnn_tutorial.data.motion import Motions

FITS = ((3, 3), (4, 5), (5, 7))
"""Local polynomials that a frame is compared with: neighbours on each side, and the degree."""

GAP = 4.0
"""A step longer than so many median steps is a gap."""

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
        """The longest step over the shortest: 1 for a steady clock."""
        return self.longest / self.shortest

    def __str__(self):
        rate = f"{1 / self.step:.3g} a second, one every {self.step:.3g} s"
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
        lines += ["", f"{'':<{width}}" + "".join(f"{x:>12}" for x in _HEADS)]
        for i, name in enumerate(self.names):
            noise = f"{'≤ ' if self.at_most[i] else ''}{self.noise[i]:.2g}"
            if np.isnan(self.noise[i]):
                noise = "unknown"
            numbers = (*(f"{x[i]:.4g}" for x in (self.low, self.high, self.speed)), noise)
            cells = "".join(f"{x:>12}" for x in (*numbers, self.outliers[i], self.units[i]))
            lines.append(f"{name:<{width}}{cells}".rstrip())
        return "\n".join(lines)


_HEADS = ("lowest", "highest", "speed", "noise σ", "outliers", "unit")


def describe(motions, angles=None, names=None):
    r"""Say what measured motions are like.

    The noise is estimated from how far each frame lies from a polynomial through its neighbours on
    both sides, a distance of σ √(1 + w·w) where the polynomial weighs them by w; the median of
    |distance| / √(1 + w·w) is 0.6745 σ for normal noise, and a few outliers do not move it. This is
    done with polynomials of degree 3, 5 and 7. Where the motion is fast for the frame rate, they do
    not follow it, and the estimate is too large: a polynomial of higher degree then finds less. The
    least estimate is given, marked as an upper bound where the highest two degrees disagree by more
    than a quarter, or only one could be tried. Noise that goes along from frame to frame, as after
    smoothing, is not seen.

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
    starts = np.flatnonzero(np.append(True, label[1:] != label[:-1]))
    ends = np.append(starts[1:], len(t))
    for start, end in zip(starts, ends, strict=True):
        q[start:end, angles] = np.unwrap(q[start:end, angles], axis=0)
    inside = label[1:] == label[:-1]
    steps = np.diff(t)[inside]
    step = float(np.median(steps))
    velocity = np.diff(q, axis=0)[inside] / steps[:, None]
    found = [_noise(t, q[:, i], label, step) for i in range(d)]
    return Description(
        names=names,
        units=tuple("rad" if angle else "" for angle in angles),
        motions=len(starts),
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
        outliers=tuple(_outliers(t, q[:, i], label, step, found[i][0]) for i in range(d)),
    )


def _noise(t, x, label, step):
    """σ, and whether it is an upper bound only."""
    sigmas = []
    for side, degree in FITS:
        centres = _centres(t, label, side, step)
        if len(centres):
            away = _away(t, x, centres, _beside(side), degree)
            sigmas.append(float(np.median(np.abs(away))) / 0.6745)
    if not sigmas:
        return np.nan, False
    agree = len(sigmas) > 1 and sigmas[-1] > 0.8 * sigmas[-2]
    return min(sigmas), not agree


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
        beside: where the others are, seen from each: `[k]` or `[m, k]`.
        degree: of the polynomial.
    """
    found, at_centre = [], np.polynomial.legendre.legvander(np.zeros(1), degree)[0]
    for begin in range(0, len(centres), _BLOCK):
        here = centres[begin : begin + _BLOCK]
        others = here[:, None] + (beside if beside.ndim == 1 else beside[begin : begin + _BLOCK])
        times = t[others] - t[here][:, None]
        basis = np.polynomial.legendre.legvander(
            times / np.abs(times).max(axis=1, keepdims=True), degree
        )
        gram = np.swapaxes(basis, 1, 2) @ basis
        weights = (basis @ np.linalg.solve(gram, at_centre[:, None]))[..., 0]
        expected = (weights * x[others]).sum(axis=1)
        found.append((x[here] - expected) / np.sqrt(1 + (weights**2).sum(axis=1)))
    return np.concatenate(found) if found else np.zeros(0)


def _outliers(t, x, label, step, sigma):
    """How many single frames are farther than 6 σ from where their neighbours expect them.

    A frame must stand out from any five of its six neighbours, or an outlier beside it would make
    it one; and three times as far as these do without it, or a fast motion would. What is found is
    taken away, until nothing more is.
    """
    if not sigma > 0:
        return 0
    count, side, degree = 0, *FITS[0]
    for _ in range(5):
        centres, beside = _centres(t, label, side, step), _beside(side)
        far = np.abs(_away(t, x, centres, beside, degree)) > FAR * sigma
        centres = centres[far]
        for left_out in range(len(beside)):
            away = np.abs(_away(t, x, centres, np.delete(beside, left_out), degree))
            centres = centres[away > FAR * sigma]
        away = np.abs(_away(t, x, centres, beside, degree))
        centres, away = _lonely(t, x, centres, away, label)
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


def _lonely(t, x, centres, away, label):
    """Those frames without which their neighbours lie three times as near to one another."""
    side, degree = FITS[0]
    most = np.zeros(len(centres))
    for shift in (-2, -1, 1, 2):
        beside = np.delete(np.arange(-side - 1, side + 2), side + 1)
        beside = beside[beside != -shift]
        neighbours = centres + shift
        lowest, highest = neighbours - side - 1, neighbours + side + 1
        known = (lowest >= 0) & (highest < len(t))
        known[known] = label[lowest[known]] == label[highest[known]]
        found = np.zeros(len(centres))
        found[known] = np.abs(_away(t, x, neighbours[known], beside, degree))
        most = np.maximum(most, found)
    return centres[away > 3 * most], away[away > 3 * most]
