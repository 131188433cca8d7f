"""Libraries of terms: functions of a state that a formula may be made of, written as in Python."""

import ast
import itertools
from dataclasses import dataclass
from functools import partial

import jax.numpy as jnp

from lnn_tutorial import _inputs

FUNCTIONS = {
    "sin": jnp.sin,
    "cos": jnp.cos,
    "exp": jnp.exp,
    "log": jnp.log,
    "sqrt": jnp.sqrt,
    "tanh": jnp.tanh,
    "abs": jnp.abs,
    "norm": jnp.linalg.norm,
}
"""What a term may call; `norm` is the length of a vector, such as q itself."""

STATE = ("q", "q_dot", "context")
"""What a term may be a function of, with the places of its entries in brackets."""


@dataclass(frozen=True)
class Library:
    r"""Terms that a Lagrangian may be a sum of, each a product of factors.

    A factor is an expression of Python in the entries of `q`, `q_dot` and `context`, with numbers,
    `+ - * / **` and the `FUNCTIONS`. Two libraries are added with `+`; `*` makes all products of a
    term of the one with a term of the other. Simple terms come first by good custom, as of two that
    do as well the later one is struck out.

    Args:
        terms: a tuple of factors for each term.

    Raises:
        TypeError, ValueError: no terms; one that is written twice, or is no such expression; when
            called, an entry that a state does not have, or a term of more than one value.

    >>> library = terms("1", "cos(q[0])") * velocities(1)
    >>> print(library)
    q_dot[0]
    q_dot[0]**2
    q_dot[0]*cos(q[0])
    q_dot[0]**2*cos(q[0])
    """

    terms: tuple[tuple[str, ...], ...]

    def __post_init__(self):
        if not self.terms:
            raise ValueError("expected a library of at least one term, got an empty one")
        for factor in dict.fromkeys(itertools.chain(*self.terms)):
            _checked(factor)
        names = self.names
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        if twice:
            raise ValueError(
                f"expected each term once, got {', '.join(twice)} twice: take one of them out"
            )

    @property
    def names(self):
        """The terms as expressions of Python."""
        return tuple(map(product, self.terms))

    def __len__(self):
        return len(self.terms)

    def __str__(self):
        return "\n".join(self.names)

    def __add__(self, other):
        return Library(self.terms + other.terms)

    def __mul__(self, other):
        return Library(tuple(_ordered(a + b) for a in self.terms for b in other.terms))

    def only(self, rows):
        """The library of some of the terms, by their places."""
        return Library(tuple(self.terms[k] for k in rows))

    def without(self, *names):
        """The library without some terms, by their names."""
        unknown = set(names) - set(self.names)
        if unknown:
            raise ValueError(f"expected names of terms, got {', '.join(sorted(unknown))}")
        return Library(
            tuple(x for x, name in zip(self.terms, self.names, strict=True) if name not in names)
        )

    def __call__(self, q, q_dot, context=None):
        """All terms at one state `[K]`; each factor is computed once."""
        factors = list(dict.fromkeys(itertools.chain(*self.terms)))
        at = {"q": q, "q_dot": q_dot, "context": context}
        dtype = jnp.result_type(q, q_dot, 1.0)
        values = jnp.stack([jnp.asarray(_value(factor, at), dtype) for factor in factors])
        longest = max(map(len, self.terms))
        values = jnp.append(values, jnp.ones((), dtype))  # what is missing is a factor of one
        places = [
            [*(factors.index(x) for x in term), *[-1] * (longest - len(term))]
            for term in self.terms
        ]
        found = jnp.ones((), dtype)
        for column in jnp.asarray(places).T:
            found = found * values[column]
        return found


def terms(*expressions):
    """A library of terms, each an expression such as `"cos(q[0])"`; see `Library`."""
    return Library(tuple((expression,) for expression in expressions))


def coordinates(dim, degree=2):
    """One and all products of coordinates up to a degree: 1, q₁, q₂, q₁², q₁q₂, …"""
    return _monomials("q", dim, degree, lowest=0)


def velocities(dim, degree=2, lowest=1):
    """All products of velocities from one degree up to another: q̇₁, q̇₂, q̇₁², q̇₁q̇₂, …"""
    return _monomials("q_dot", dim, degree, lowest)


def angles(dim, order=1):
    """One, and cosine and sine of all sums of angles, each taken up to `order` times, ± the others.

    For two angles a, b and order 1: those of a, b, a − b and a + b.
    """
    _inputs.count(dim=dim, order=order)
    found = ["1"]
    for counts in itertools.product(range(-order, order + 1), repeat=dim):
        first = next((n for n in counts if n), 0)
        if first > 0:
            found += [f"{function}({_sum(counts)})" for function in ("cos", "sin")]
    return terms(*sorted(found, key=lambda x: (x != "1", x.count("q"), len(x))))


def distances(powers=(-1, 1, 2)):
    """Powers of the distance r = |q| from the origin, and its logarithm."""
    found = ["norm(q)" if power == 1 else f"norm(q)**{power}" for power in powers]
    return terms(*found, "log(norm(q))")


def _monomials(name, dim, degree, lowest):
    _inputs.count(dim=dim, degree=degree)
    _inputs.count(0, lowest=lowest)
    found = []
    for order in range(lowest, degree + 1):
        for chosen in itertools.combinations_with_replacement(range(dim), order):
            powers = {k: chosen.count(k) for k in chosen}
            found.append(
                tuple(f"{name}[{k}]" + (f"**{n}" if n > 1 else "") for k, n in powers.items())
                or ("1",)
            )
    return Library(tuple(found))


def _sum(counts):
    parts = [
        ("-" if n < 0 else "+") + ("" if abs(n) == 1 else f"{abs(n)}*") + f"q[{k}]"
        for k, n in enumerate(counts)
        if n
    ]
    return " ".join(f"{x[0]} {x[1:]}" for x in parts).removeprefix("+ ")


# --- Expressions -------------------------------------------------------------------------------


def product(factors):
    """The product of factors as an expression."""
    bracketed = [x if _binds(x) or len(factors) == 1 else f"({x})" for x in factors]
    return "*".join(bracketed)


def multiple(size, name):
    """A number times a term, as an expression; once a term is the term."""
    bracketed = name if _binds(name) else f"({name})"
    return bracketed if size == "1" else f"{size}*{bracketed}"


def _binds(factor):
    """Whether a factor may stand in a product without brackets."""
    node = ast.parse(factor, mode="eval").body
    return not (
        isinstance(node, ast.UnaryOp)
        or (isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub, ast.Div)))
    )


def _ordered(factors):
    """Factors without ones, but for the term 1 itself, and velocities first."""
    found = (x for x in factors if x != "1")
    return tuple(sorted(found, key=lambda x: ("q_dot" not in x, x))) or ("1",)


ALLOWED = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.Load,
           ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.USub, ast.UAdd)  # fmt: skip


def _checked(factor):
    """Raise unless a factor is an expression of the kind that `Library` says."""
    if not isinstance(factor, str):
        raise TypeError(f"expected a term as a string such as 'cos(q[0])', got {factor!r}")
    try:
        tree = ast.parse(factor, mode="eval")
    except SyntaxError as error:
        raise ValueError(f"expected an expression of Python, got {factor!r}") from error
    known = (*STATE, *FUNCTIONS)
    called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=value):
                good = type(value) in (int, float)
            case ast.Name(id=name):
                good = name in (FUNCTIONS if node in called else STATE)
            case ast.Call(func=function, args=arguments, keywords=others):
                good = isinstance(function, ast.Name) and len(arguments) == 1 and not others
            case ast.Subscript(value=of, slice=place):  # no places from behind
                good = isinstance(of, ast.Name) and type(getattr(place, "value", None)) is int
            case _:
                good = isinstance(node, ALLOWED)
        if not good:
            raise ValueError(
                f"expected a term of {', '.join(known)} and numbers, got {factor!r}: "
                f"it has {ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__}"
            )


def _value(factor, at):
    try:
        _require_places(factor, at)
        found = eval(compile(factor, "<term>", "eval"), {"__builtins__": {}, **FUNCTIONS, **at})
    except (TypeError, IndexError, ArithmeticError) as error:
        raise ValueError(f"term {factor!r} cannot be computed of this state: {error}") from error
    if jnp.iscomplexobj(found):
        raise ValueError(f"expected a term with a real value, got {factor!r}")
    if jnp.ndim(found):
        raise ValueError(
            f"expected a term with one value, got {factor!r} of shape {jnp.shape(found)}: "
            "q[0] is a coordinate, q is all of them"
        )
    return found


def _require_places(factor, at):
    """Raise where an entry is asked for that there is not: JAX would give the last one."""
    for node in ast.walk(ast.parse(factor, mode="eval")):
        if isinstance(node, ast.Subscript):
            name, k = node.value.id, node.slice.value
            if at[name] is None or k >= len(at[name]):
                raise IndexError(f"there is no {name}[{k}]")


# --- For readers -------------------------------------------------------------------------------


def latex(expression, names=None):
    r"""An expression in LaTeX.

    Args:
        expression: of the kind that `Library` says.
        names: of the coordinates, in LaTeX; by default q_1, q_2, …

    >>> print(latex("q_dot[0]**2*cos(q[0] - q[1])"))
    \dot q_1^2 \cos(q_1 - q_2)
    """
    return _written(ast.parse(expression, mode="eval").body, names)[0]


def _written(node, names):
    """A node in LaTeX, and how tightly it binds."""
    written = partial(_written, names=names)

    def within(node, least):
        text, binding = written(node)
        return text if binding >= least else rf"\left({text}\right)"

    match node:
        case ast.Constant(value=value):
            short = f"{value:.6g}"
            told = number(short if float(short) == value else f"{value:.15g}")
            return told, 2 if "^" in told else 4
        case ast.Name(id=name):
            return {"q_dot": r"\dot q"}.get(name, name), 4
        case ast.Subscript(value=ast.Name(id="context"), slice=ast.Constant(value=k)):
            return entry("c", k), 4
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=k)):
            plain = coordinate(k, names)
            return (rf"\dot {plain}" if name == "q_dot" else plain), 4
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return written(operand)
        case ast.UnaryOp(operand=operand):
            return f"-{within(operand, 2)}", 1.5
        case ast.Call(func=ast.Name(id="norm" | "abs"), args=[argument]):
            return f"|{written(argument)[0]}|", 4
        case ast.Call(func=ast.Name(id="sqrt"), args=[argument]):
            return rf"\sqrt{{{written(argument)[0]}}}", 4
        case ast.Call(func=ast.Name(id="exp"), args=[argument]):
            return f"e^{{{written(argument)[0]}}}", 3
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return rf"\{name}({written(argument)[0]})", 3
        case ast.BinOp(op=ast.Pow(), left=left, right=right):
            return f"{within(left, 4)}^{{{written(right)[0]}}}".replace("^{2}", "^2"), 3
        case ast.BinOp(op=ast.Div(), left=left, right=right):
            return rf"\frac{{{written(left)[0]}}}{{{written(right)[0]}}}", 3
        case ast.BinOp(op=ast.Mult(), left=left, right=right):
            first, second = within(left, 1.5), within(right, 3)
            sign = r" \cdot " if second[0].isdigit() else " "
            return first + sign + second, 1.5 if first.startswith("-") else 2
        case ast.BinOp(op=op, left=left, right=right):
            sign = "+" if isinstance(op, ast.Add) else "-"
            return f"{within(left, 1)} {sign} {within(right, 2)}", 1
    raise ValueError(f"cannot write {ast.unparse(node)}")


def number(told):
    r"""A number as Python writes it in LaTeX: 2e-07 is 2 \cdot 10^{-7}."""
    digits, _, power = told.partition("e")
    if not power:
        return told
    ten = f"10^{{{int(power)}}}"
    return ten if digits == "1" else rf"{digits} \cdot {ten}"


def coordinate(k, names=None):
    """The name of a coordinate in LaTeX: the one given, or q_1, q_2, …"""
    return names[k] if names else entry("q", k)


def entry(name, k):
    """An entry of a vector in LaTeX, counted from one."""
    return f"{name}_{k + 1}" if k < 9 else f"{name}_{{{k + 1}}}"
