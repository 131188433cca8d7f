r"""What a network sees of a vector: small functions `[n] -> [m]` that respect what the vector is.

A feature is a frozen dataclass that is called like a function; what it is made of are its
arguments, so that it can be compared, hashed and saved. Features are put together by `Together`
and `Then`::

    lift = Then((Picked((0,)), Scaled(4.0)))           # the first coordinate, in units of 4
    swing = Then((Picked((1, 2)), Angles((True, True))))
    model = models.LNN(dim=3, position_features=Together((lift, swing)))

A function of one's own, `[n] -> [m]`, will do as well; to be saved it has to be a dataclass
(see `store.register`).
"""

from dataclasses import dataclass, fields

import jax.numpy as jnp

from lnn_tutorial import _inputs


class Feature:
    """What the features share: settings that are checked once, and a limit that is checked."""

    def __post_init__(self):
        for field in fields(self):
            if field.name in ("scale", "limit"):
                scale = _inputs.scale(field.name, getattr(self, field.name))
                object.__setattr__(self, field.name, scale)

    def __call__(self, x):
        """What is seen `[m]` of a vector `[n]`."""
        raise NotImplementedError

    @staticmethod
    def over(x, scale):
        """x / scale, with one scale for all or one for each entry."""
        if isinstance(scale, tuple) and x.shape != (len(scale),):
            raise ValueError(f"expected a vector of {len(scale)} entries, got {x.shape}")
        return x / jnp.asarray(scale)

    def check(self, name, x):
        """Raise where a vector, called `name`, lies outside of what the feature knows."""


def check(feature, name, x):
    """`feature.check`, of a feature that has one."""
    if isinstance(feature, Feature):
        feature.check(name, x)


@dataclass(frozen=True)
class Scaled(Feature):
    """x / x₀.

    Args:
        scale: x₀, a typical value; a number or one for each entry.
    """

    scale: float | tuple[float, ...] = 1.0

    def __call__(self, x):
        """x / x₀ `[n]`."""
        return self.over(x, self.scale)


@dataclass(frozen=True)
class Centred(Scaled):
    """x / x₀ less its mean: with one x₀ for all, a common shift is not seen."""

    def __call__(self, x):
        """x / x₀ less its mean `[n]`."""
        scaled = super().__call__(x)
        return scaled - scaled.mean()


@dataclass(frozen=True)
class Angles(Feature):
    """sin and cos of what is an angle, in its place, so that nothing jumps after a full turn.

    Args:
        which: True for each entry that is an angle.
        scale: x₀ of the other entries, as in `Scaled`.

    >>> print(Angles((False, True), 4.0)(jnp.array([2.0, 0.0])))
    [0.5 0.  1. ]
    """

    which: tuple[bool, ...]
    scale: float | tuple[float, ...] = 1.0

    def __post_init__(self):
        object.__setattr__(self, "which", _inputs.flags("which", self.which))
        super().__post_init__()

    def __call__(self, x):
        """`[n + number of angles]`."""
        if x.shape != (len(self.which),):
            raise ValueError(f"expected a vector of shape {(len(self.which),)}, got {x.shape}")
        scaled, seen = self.over(x, self.scale), []
        for i, angle in enumerate(self.which):
            seen += self.of_angle(x[i]) if angle else [scaled[i]]
        return jnp.stack(seen)

    def of_angle(self, angle):
        """What is seen of one angle, a list."""
        return [jnp.sin(angle), jnp.cos(angle)]


@dataclass(frozen=True)
class Wrapped(Angles):
    """Angles as numbers in −π … π, as in the paper's code: what sees them jumps at ±π."""

    def of_angle(self, angle):
        """The angle less the full turns, a list of one."""
        return [(angle + jnp.pi) % (2 * jnp.pi) - jnp.pi]


@dataclass(frozen=True)
class Rapidity(Feature):
    """arctanh(x / x₁), of a vector whose entries stay below a limit.

    Args:
        limit: x₁, what no entry reaches; a number or one for each entry.
    """

    limit: float | tuple[float, ...] = 1.0

    def __call__(self, x):
        """arctanh(x / x₁) `[n]`, in a form whose derivatives keep their digits near 1."""
        scaled = self.over(x, self.limit)
        return 0.5 * (jnp.log1p(scaled) - jnp.log1p(-scaled))

    def check(self, name, x):
        """Raise unless every |entry| is below the limit; a traced one passes."""
        scaled = self.over(x, self.limit)
        _inputs.below(f"{name} / limit", scaled, 1.0, "where its feature ends")


@dataclass(frozen=True)
class Arcsine(Rapidity):
    """arcsin(x / x₁), of a vector whose entries stay below a limit."""

    def __call__(self, x):
        """arcsin(x / x₁) `[n]`."""
        return jnp.arcsin(self.over(x, self.limit))


@dataclass(frozen=True)
class Arcsinh(Scaled):
    """arcsinh(x / x₀), for values that span powers of ten."""

    def __call__(self, x):
        """arcsinh(x / x₀) `[n]`."""
        return jnp.arcsinh(super().__call__(x))


@dataclass(frozen=True)
class Picked(Feature):
    """Some entries of a vector.

    Args:
        which: their numbers, from 0 on.
    """

    which: tuple[int, ...]

    def __post_init__(self):
        which = _inputs.sequence("which", self.which)
        object.__setattr__(self, "which", tuple(_inputs.whole("which", i, 0) for i in which))

    def __call__(self, x):
        """The entries `[number of them]`."""
        if max(self.which) >= x.size:
            raise ValueError(f"expected a vector with the entries {self.which}, got {x.shape}")
        return x[jnp.asarray(self.which)]


@dataclass(frozen=True)
class _Parts(Feature):
    """Features in a row.

    Args:
        parts: the features, or functions `[n] -> [m]`.
    """

    parts: tuple

    def __post_init__(self):
        object.__setattr__(self, "parts", _inputs.sequence("parts", self.parts))
        for part in self.parts:
            _inputs.function("parts", part)


@dataclass(frozen=True)
class Together(_Parts):
    """What several features see of one vector, one after the other."""

    def __call__(self, x):
        """All that is seen, joined."""
        return jnp.concatenate([part(x) for part in self.parts])

    def check(self, name, x):
        """Ask every part."""
        for part in self.parts:
            check(part, name, x)


@dataclass(frozen=True)
class Then(_Parts):
    """Each feature sees what the one before it has made."""

    def __call__(self, x):
        """What the last one sees."""
        for part in self.parts:
            x = part(x)
        return x

    def check(self, name, x):
        """Ask each part about what it gets."""
        for part in self.parts:
            check(part, name, x)
            x = part(x)
