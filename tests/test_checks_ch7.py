"""The checks of chapter 7: right answers in several forms pass, typical slips are named."""

from itertools import count
from math import sin, sqrt

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import checks, fields, systems
from lnn_tutorial.checks import chapter7
from tests.wrong_answers import refused, wrong_answers


def nothing(*_):
    return ...


class Unreadable:
    """An object that is not even an array of one object."""

    def __array__(self, *_, **__):
        raise ValueError("no array")


GARBAGE = [
    "0.2",
    "",
    b"1",
    1j,
    True,
    np.nan,
    np.inf,
    [],
    [[1.0, 2.0], [3.0]],
    [1.0, "2"],
    {"a": 1.0},
    {0.5},
    object(),
    Unreadable(),
    np.ones((2, 3, 4)),
    np.array(["a", "b"]),
    np.full(12, np.nan),
    np.full((24, 5), 0.5),
    lambda: 1.0,
]


def string(phi, phi_dot, kappa):
    """The density of a string on springs."""
    return 0.5 * phi_dot[1] ** 2 - 0.5 * (phi[2] - phi[1]) ** 2 - 0.5 * kappa * phi[1] ** 2


def omega(k, kappa):
    return jnp.sqrt(kappa + 4 * jnp.sin(k / 2) ** 2)


def curvature(phi, dx):
    return (jnp.roll(phi, 1) - 2 * phi + jnp.roll(phi, -1)) / dx**2


def slow(dx):
    return (dx / 2) ** 0.5


def differences(stencil):
    return {b - a for a in stencil for b in stencil}


def rolled_up(rows, columns):
    """The cylinder, from the rolled and the clipped numbers of rows and columns."""
    r, c = np.divmod(np.arange(rows * columns), columns)
    left, right = r * columns + (c - 1) % columns, r * columns + (c + 1) % columns
    up, down = np.maximum(r - 1, 0) * columns + c, np.minimum(r + 1, rows - 1) * columns + c
    return np.stack([r * columns + c, left, right, up, down], axis=1)


TWO = {
    "speed": lambda answer: checks.slipped_speed(answer, curvature),
    "acceleration": lambda answer: checks.slipped_speed(slow, answer),
    "bands": checks.bands,
    "density": lambda answer: checks.hanging_string(answer, omega),
    "frequency": lambda answer: checks.hanging_string(string, answer),
    "cylinder": checks.cylinder,
}


@pytest.mark.parametrize("check", TWO.values(), ids=TWO)
def test_a_stub_is_nothing_yet(check, quick):
    refused(check(nothing), "Nothing here yet")
    refused(check(lambda *_: None), "Nothing here yet")
    refused(check(...), "Nothing here yet")
    refused(check(None), "Nothing here yet")
    refused(check("answer"), "Expected a function")
    refused(check(lambda *_: 1 / 0), "raised ZeroDivisionError")
    refused(check(lambda: 1.0), "raised TypeError")


@pytest.mark.parametrize("check", TWO.values(), ids=TWO)
@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda x: type(x).__name__)
def test_garbage_is_refused_with_a_sentence(check, garbage, quick):
    verdict = check(lambda *_: garbage)
    refused(verdict)
    assert len(verdict.message) > 10


@pytest.fixture(scope="module")
def differentiated():
    """What the check finds for the right density, kept for all tests of the frequency."""
    differentiate, kept = chapter7._accelerations, []

    def accelerations(density, *given):
        if density is not string:
            return differentiate(density, *given)
        if not kept:
            kept.append(differentiate(string, *given))
        return kept[0]

    return accelerations


@pytest.fixture
def quick(monkeypatch, differentiated):
    """Where only the frequency is in question, the right density is differentiated once."""
    monkeypatch.setattr(chapter7, "_accelerations", differentiated)


# --- Two dx for dx squared ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "speed",
    [
        slow,
        lambda dx: np.sqrt(dx / 2),
        lambda dx: jnp.sqrt(dx / 2),
        lambda dx: np.array([dx / np.sqrt(2 * dx)]),
        lambda dx: np.float32(slow(dx)),
    ],
)
def test_the_speed_of_the_code_in_five_forms(speed):
    assert checks.slipped_speed(speed, curvature)


def test_the_speed_is_that_of_the_codes_long_waves():
    """The wave of one period on a ring of 100 nodes, by the code's accelerations."""
    dx, n = 0.1, 100
    k = 2 * np.pi / (n * dx)
    wave = np.cos(k * dx * np.arange(n))
    code = np.asarray(curvature(wave, dx)) * dx**2 / (2 * dx)
    measured = np.sqrt(-code[0] / wave[0]) / k
    assert slow(dx) == pytest.approx(measured, rel=1e-3)  # the grid slows it by (k dx)²/24
    assert slow(dx) == pytest.approx(0.2236, abs=1e-4)


def in_a_loop(phi, dx):
    out = np.zeros(len(phi))
    for i in range(len(phi)):
        out[i] = (phi[(i + 1) % len(phi)] - 2 * phi[i] + phi[i - 1]) / dx**2
    return out


def by_the_system(phi, dx):
    return systems.WaveEquation(len(phi), dx).acceleration(phi, 0 * phi)


@pytest.mark.parametrize(
    "acceleration",
    [
        curvature,
        in_a_loop,
        by_the_system,
        lambda phi, dx: (np.roll(phi, 1) - 2 * phi + np.roll(phi, -1)) / dx**2,
        lambda phi, dx: in_a_loop(phi, dx).tolist(),
    ],
)
def test_the_mended_accelerations_in_five_forms(acceleration):
    assert checks.slipped_speed(slow, acceleration)


@wrong_answers(
    "slipped_speed",
    [
        (lambda dx: dx / 2, "the square of a speed"),
        (lambda dx: np.sqrt(2 / dx), "is upside down: the waves"),
        (lambda dx: 2 / dx, "is upside down, and the square"),
        (lambda dx: 1.0, "that was intended"),
        (lambda dx: 1, "that was intended"),
        (lambda dx: slow(dx) / dx, "nodes a second"),
        (lambda dx: np.sqrt(dx) / 2, "2 stands outside the root"),
        (lambda dx: np.sqrt(dx), "The 2 of the code is missing"),
        (lambda dx: np.sqrt(2 * dx), "wrong side of the fraction"),
        (lambda dx: -slow(dx), "wrong sign"),
        (lambda dx: 0.2236068, "for dx = 0.5"),
        (lambda dx: [dx, dx], "one number"),
    ],
)
def test_slips_of_the_speed_are_named(slip, word):
    refused(checks.slipped_speed(slip, curvature), word)


def ends(mode):
    def acceleration(phi, dx):
        phi = np.pad(phi, 1, mode=mode)
        return (phi[2:] - 2 * phi[1:-1] + phi[:-2]) / dx**2

    return acceleration


def apart(phi, dx):
    return (jnp.roll(phi, 2) - 2 * phi + jnp.roll(phi, -2)) / (4 * dx**2)


@wrong_answers(
    "slipped_speed",
    [
        (lambda phi, dx: curvature(phi, dx) * dx / 2, "still 2 dx"),
        (lambda phi, dx: curvature(phi, dx) * dx, "dx once"),
        (lambda phi, dx: curvature(phi, dx) / 2, "the 2 is still there"),
        (lambda phi, dx: curvature(phi, dx) / 4, "still there, and squared"),
        (lambda phi, dx: -curvature(phi, dx), "pulled down"),
        (lambda phi, dx: curvature(phi, dx) * dx**4, "multiplied by dx²"),
        (lambda phi, dx: curvature(phi, 1.0), "did not divide"),
        (lambda phi, dx: (jnp.roll(phi, -1) - jnp.roll(phi, 1)) / (2 * dx), "a slope"),
        (apart, "know nothing of each other"),
        (lambda phi, dx: np.gradient(np.gradient(phi, dx), dx), "know nothing of each other"),
        *((ends(mode), "last node are neighbours") for mode in ("constant", "edge", "reflect")),
        (lambda phi, dx: curvature(phi, dx) + phi / dx**2, "own height counts once"),
        (lambda phi, dx: np.diff(phi, 2) / dx**2, "shape (10,)"),
        (lambda phi, dx: 0 * phi, "wrong in every entry"),
        (lambda phi, dx: phi * jnp.nan, "not finite"),
    ],
)
def test_slips_of_the_acceleration_are_named(slip, word):
    refused(checks.slipped_speed(slow, slip), "Your speed is right.", word)


# --- Three bands or five? ----------------------------------------------------------------------


@pytest.mark.parametrize("stencil", [(-1, 0, 1), (0, 1), (-2, 0, 2), (0, 1, 3)])
def test_the_bands_are_those_of_a_drawn_densitys_hessian(stencil):
    n, points = 13, len(stencil)
    first, second = np.random.default_rng(points).normal(0.0, 0.5, (2, 2 * points, 8))

    def density(phi, phi_dot):
        x = jnp.concatenate([phi, phi_dot])
        return jnp.tanh(jnp.tanh(x @ first) @ second.T).sum()

    ring = fields.ring(n, stencil)
    state = jnp.asarray(np.random.default_rng(1).standard_normal((2, n)), float)
    mass = np.asarray(jax.jit(jax.hessian(fields.lagrangian(density, ring), 1))(*state))
    rows, columns = np.nonzero(np.abs(mass) > 1e-5)
    found = set(((columns - rows + n // 2) % n - n // 2).tolist())
    assert found == differences(stencil)


@pytest.mark.parametrize(
    "form",
    [
        set,
        sorted,
        tuple,
        frozenset,
        iter,
        lambda found: np.array(sorted(found)),
        lambda found: jnp.array(sorted(found)),
        lambda found: [jnp.asarray(o) for o in found],
        lambda found: {np.int64(o) for o in found},
        lambda found: 2 * sorted(found),
        lambda found: dict.fromkeys(found).keys(),
        lambda found: (o for o in found),
    ],
)
def test_the_bands_in_many_forms(form):
    assert checks.bands(lambda stencil: form(differences(stencil)))


def in_between(stencil):
    reach = max(stencil) - min(stencil)
    return range(-reach, reach + 1)


@wrong_answers(
    "bands",
    [
        (lambda s: s, ["(-1, 0, 1)", "That is the stencil"]),
        (lambda s: {-1, 0, 1}, ["(-1, 0, 1)", "That is the stencil"]),
        (lambda s: {o for o in differences(s) if o >= 0}, ["symmetric"]),
        (lambda s: differences(s) - {0}, ["the diagonal is missing"]),
        (in_between, ["(-2, 0, 2)", "all nodes in between"]),
        (lambda s: {a + b for a in s for b in s}, ["(0, 1)", "sums"]),
        (lambda s: {-2, -1, 0, 1, 2}, ["(0, 1)", "another one"]),
        (lambda s: range(-3, 4), ["Nodes i and i + 3 meet in no"]),
        (lambda s: {0}, ["4 are missing"]),
        (lambda s: set(), ["5 are missing"]),
        (lambda s: len(differences(s)), ["not one number"]),
        (lambda s: np.int64(5), ["not one number"]),
        (lambda s: jnp.asarray(5), ["not one number"]),
        (lambda s: {"o": 1}, ["got str"]),
        (lambda s: "-1 0 1", ["set of offsets, got str"]),
        (lambda s: {0, None}, ["got NoneType"]),
        (lambda s: [0, ...], ["Nothing here yet"]),
        (lambda s: [0.5], ["got 0.5"]),
        (lambda s: [np.nan], ["got nan"]),
        (lambda s: [np.inf], ["got inf"]),
        (lambda s: [(0, 1)], ["got tuple"]),
        (lambda s: np.subtract.outer(s, s), ["got ndarray"]),
        (lambda s: count(), ["symmetric"]),
        (lambda s: (1 // o for o in s), ["ZeroDivisionError"]),
        (lambda s: [True], ["bool"]),
    ],
)
def test_slips_of_the_bands_are_named(slip, words):
    refused(checks.bands(slip), *words)


# --- A string on springs -----------------------------------------------------------------------


def plus_a_gauge(phi, phi_dot, kappa):
    """A term that cancels in the sum over a ring."""
    return string(phi, phi_dot, kappa) + 0.3 * (phi_dot[2] * phi[2] - phi_dot[1] * phi[1])


def plus_a_total_derivative(phi, phi_dot, kappa):
    return string(phi, phi_dot, kappa) + phi_dot[1] * jnp.cos(phi[1])


def plus_moved_masses(phi, phi_dot, kappa):
    return string(phi, phi_dot, kappa) + 0.2 * (phi_dot[2] ** 2 - phi_dot[1] ** 2)


def from_the_left(phi, phi_dot, kappa):
    return 0.5 * (phi_dot[0] ** 2 - (phi[1] - phi[0]) ** 2 - kappa * phi[2] ** 2)


def both_sides(phi, phi_dot, kappa):
    stretch = (phi[2] - phi[1]) ** 2 + (phi[1] - phi[0]) ** 2
    return (phi_dot @ phi_dot - kappa * phi @ phi) / 6 - stretch / 4


def in_other_units(phi, phi_dot, kappa):
    return -4.0 * string(phi, phi_dot, kappa)


def with_a_branch(phi, phi_dot, kappa):
    return string(phi, phi_dot, kappa) if kappa > 0 else string(phi, phi_dot, 0)


@pytest.mark.parametrize(
    "density",
    [
        string,
        plus_a_gauge,
        plus_a_total_derivative,
        plus_moved_masses,
        from_the_left,
        both_sides,
        in_other_units,
        with_a_branch,
    ],
)
def test_every_density_of_the_same_string_is_right(density):
    assert checks.hanging_string(density, omega)


@pytest.mark.parametrize(
    "frequency",
    [
        omega,
        lambda k, kappa: np.sqrt(kappa + 4 * np.sin(k / 2) ** 2),
        lambda k, kappa: jnp.sqrt(kappa + 2 - 2 * jnp.cos(k)),
        lambda k, kappa: [sqrt(kappa + 4 * sin(each / 2) ** 2) for each in k],
        lambda k, kappa: fields.dispersion(lambda *state: string(*state, kappa))(k),
    ],
)
def test_the_frequency_in_five_forms(frequency, quick):
    assert checks.hanging_string(string, frequency)


def but(mass=0.5, tension=0.5):
    """The density with other factors, and with another energy of the springs."""

    def made(springs):
        def density(phi, phi_dot, kappa):
            elastic = tension * (phi[2] - phi[1]) ** 2
            return mass * phi_dot[1] ** 2 - elastic - springs(phi, kappa)

        return density

    return made


def ground(phi, kappa):
    return 0.5 * kappa * phi[1] ** 2


def three_masses(phi, phi_dot, kappa):
    return string(phi, phi_dot, kappa) + 0.5 * (phi_dot[0] ** 2 + phi_dot[2] ** 2)


def relative_speeds(phi, phi_dot, kappa):
    """Only what moves against its neighbour has an energy: M is singular, its entries are not 0."""
    return string(phi, phi_dot - phi_dot[0], kappa)


def central(phi, phi_dot, kappa):
    return 0.5 * phi_dot[1] ** 2 - (phi[2] - phi[0]) ** 2 / 8 - ground(phi, kappa)


@wrong_answers(
    "hanging_string",
    [
        (but()(lambda phi, kappa: kappa * phi[1] ** 2), "that of κ φ² is too large"),
        (but()(lambda phi, kappa: -ground(phi, kappa)), "push the nodes away from rest."),
        (but()(lambda phi, kappa: -2 * ground(phi, kappa)), "away from rest, and the ½"),
        (but()(lambda phi, kappa: 0.0), "κ changes nothing"),
        (but()(lambda phi, kappa: 0.5 * kappa * phi @ phi), "three springs of yours."),
        (but()(lambda phi, kappa: kappa * phi @ phi), "three springs of yours, and the ½"),
        (but()(lambda phi, kappa: ground(phi, kappa**2)), "Its square is not"),
        (but()(lambda phi, kappa: ground(phi, kappa / 2)), "half as stiff"),
        (but()(lambda phi, kappa: ground(phi[1:] - phi[:-1], kappa)), "not to the ground"),
        (but()(lambda phi, kappa: kappa * phi[1]), "first degree"),
        (but()(lambda phi, kappa: 0.5 * kappa * phi[1]), "first degree in φ"),
        (but()(lambda phi, kappa: kappa * phi[1] ** 4), "What the springs add to φ̈ for κ = 0.7"),
        (but(mass=1.0)(ground), "factor of 1/2"),
        (but(tension=1.0)(ground), "factor of 2"),
        (but(tension=-0.5)(ground), "wrong sign"),
        (but(tension=0.0)(ground), "do not pull"),
        (but(mass=0.0)(ground), "not every node has a mass"),
        (relative_speeds, "not every node has a mass"),
        (three_masses, "factor of 1/3"),
        (central, "know nothing of each other"),
        (lambda phi, phi_dot, kappa: 0.0, "not every node has a mass"),
        (lambda phi, phi_dot, kappa: phi_dot**2, "shape (3,)"),
        (lambda phi, phi_dot, kappa: jnp.nan * phi[1], "not finite"),
        (lambda phi, phi_dot, kappa: string(np.asarray(phi), phi_dot, kappa), "with jnp"),
        (lambda phi, phi_dot, kappa: phi[3:].min(), "raised ValueError"),
    ],
)
def test_slips_of_the_density_are_named(slip, word):
    refused(checks.hanging_string(slip, omega), word)


@wrong_answers(
    "hanging_string",
    [
        (lambda k, kappa: omega(k, kappa) ** 2, "the square of ω"),
        (lambda k, kappa: jnp.sqrt(kappa + k**2), "continuous string"),
        (lambda k, kappa: omega(k, 0.0), "The springs are missing"),
        (lambda k, kappa: jnp.sqrt(kappa) + omega(k, 0.0), "the pulls that add up"),
        (lambda k, kappa: omega(k, kappa**2), "κ is squared"),
        (lambda k, kappa: kappa + omega(k, 0.0), "outside the root"),
        (lambda k, kappa: omega(k, 2 * kappa), "The 2 before κ is too much"),
        (lambda k, kappa: omega(k, -kappa), "the nodes faster"),
        (lambda k, kappa: omega(2 * k, kappa), "twice as large"),
        (lambda k, kappa: jnp.sqrt(kappa + jnp.sin(k / 2) ** 2), "in front of sin² is missing"),
        (lambda k, kappa: jnp.sqrt(kappa + 1 - jnp.cos(k)), "in front of sin² is half"),
        (lambda k, kappa: jnp.sqrt(kappa + jnp.sin(k) ** 2), "not two"),
        (lambda k, kappa: -omega(k, kappa), "wrong sign"),
        (lambda k, kappa: omega(k, kappa).sum(), "Each wavenumber has one"),
    ],
)
def test_slips_of_the_frequency_are_named(slip, word, quick):
    refused(checks.hanging_string(string, slip), "Your density is right.", word)


# --- Roll it up --------------------------------------------------------------------------------


def cell_by_cell(rows, columns):
    """The cylinder as nested lists, with the neighbours in another order."""
    table = []
    for r in range(rows):
        for c in range(columns):
            up, down = max(r - 1, 0), min(r + 1, rows - 1)
            near = [(r, c), (down, c), (r, (c + 1) % columns), (up, c), (r, (c - 1) % columns)]
            table.append([row * columns + column for row, column in near])
    return table


def from_the_membrane(rows, columns):
    """The package's membrane, cut open between the last row and the first."""
    index = fields.membrane(rows, columns).index.copy()
    far = abs(index // columns - index[:, :1] // columns) > 1
    return np.where(far, index[:, :1], index)


@pytest.mark.parametrize(
    "form",
    [
        rolled_up,
        cell_by_cell,
        lambda *size: jnp.asarray(rolled_up(*size)),
        lambda *size: rolled_up(*size).astype(np.uint8),
        lambda *size: rolled_up(*size)[:, [0, 4, 3, 2, 1]],
    ],
)
def test_the_cylinder_in_five_forms(form):
    assert checks.cylinder(form)


@pytest.mark.parametrize("size", [(4, 6), (3, 5), (5, 3)])
def test_the_cylinder_is_the_membrane_cut_open(size):
    found, expected = (np.sort(f(*size)[:, 1:], 1) for f in (rolled_up, from_the_membrane))
    np.testing.assert_array_equal(found, expected)


def test_a_wave_runs_around_the_cylinder_and_a_column_of_it_is_a_line():
    """Accelerations from its index: a ring for a field of the columns, a line for one of rows."""
    rows, columns = 4, 6
    nodes = fields.Neighbourhoods(rolled_up(rows, columns))

    def density(phi, phi_dot):
        return 0.5 * phi_dot[0] ** 2 - 0.25 * ((phi[1:] - phi[0]) ** 2).sum()

    acceleration = jax.jit(fields.acceleration(density, nodes))
    for n, axis, ends in ((columns, 0, "wrap"), (rows, 1, "edge")):
        phi = np.random.default_rng(n).standard_normal(n).astype(np.float32)
        field = jnp.asarray(np.broadcast_to(np.expand_dims(phi, axis), (rows, columns)).ravel())
        found = acceleration(field, 0 * field).reshape(rows, columns)
        expected = np.diff(np.pad(phi, 1, mode=ends), 2)
        for each in np.moveaxis(np.asarray(found), axis, 0):
            np.testing.assert_allclose(each, expected, atol=1e-5)


def joined_rows(rows, columns):
    turned = rolled_up(columns, rows)  # a cylinder that lies on its side
    c, r = np.divmod(turned, rows)
    found = r * columns + c
    return found[found[:, 0].argsort()]


def flat(rows, columns):
    found = rolled_up(rows, columns)
    found[::columns, 1] = found[::columns, 0]
    found[columns - 1 :: columns, 2] = found[columns - 1 :: columns, 0]
    return found


def wrapped_by_numpy(rows, columns):
    found = rolled_up(rows, columns)
    found[:columns, 3] = found[-columns:, 4] = -1
    return found


def staircase(rows, columns):
    found = rolled_up(rows, columns)
    found[:, 1:3] = (found[:, :1] + [-1, 1]) % (rows * columns)
    return found


def down_the_columns(rows, columns):
    """The numbers c · rows + r, with the rows in their order."""
    r, c = np.divmod(rolled_up(rows, columns), columns)
    found = c * rows + r
    return found[found[:, 0].argsort()]


def half_down_the_columns(rows, columns):
    """The numbers c · rows + r, with the rows in the order of r · columns + c."""
    r, c = np.divmod(rolled_up(rows, columns), columns)
    return c * rows + r


def other_order_of_rows(rows, columns):
    order = np.arange(rows * columns).reshape(rows, columns).T.ravel()
    return rolled_up(rows, columns)[order]


def changed(at, to):
    """The cylinder with one entry of it changed."""

    def answer(rows, columns):
        found = rolled_up(rows, columns)
        found[at] = to
        return found

    return answer


@wrong_answers(
    "cylinder",
    [
        (
            lambda *size: fields.membrane(*size).index,
            ["12 of 24 nodes", "node (0, 0)", "a membrane"],
        ),
        (joined_rows, ["node (0, 0)", "rolled up the other way"]),
        (flat, ["8 of 24 nodes", "still flat"]),
        (staircase, ["node (0, 0)", "spiral"]),
        (down_the_columns, ["down the columns"]),
        (half_down_the_columns, ["down the columns"]),
        (other_order_of_rows, ["down the columns"]),
        (wrapped_by_numpy, ["node (0, 0) holds -1", "To NumPy"]),
        (changed((13, 2), 24), ["node (2, 1) holds 24", "No node has that number"]),
        (changed((13, 2), -7), ["node (2, 1) holds -7", "No node has that number"]),
        (changed((13, 2), 3), ["1 of 24 nodes", "node (2, 1): [3, 7, 12, 19]"]),
        (changed((3, 3), 9), ["node (0, 3)", "the top and the bottom"]),
        (changed((12, 1), 16), ["node (2, 0)", "the first or the last node of a row"]),
        (changed((13, 0), 14), ["node (2, 1)", "begins with 14", "the node itself"]),
        (lambda *size: rolled_up(*size)[:, ::-1], ["the node itself"]),
        (lambda *size: rolled_up(*size).T, ["got (5, 24)", "transposed"]),
        (lambda *size: rolled_up(*size)[:, 1:], ["got (24, 4)", "node itself"]),
        (lambda *size: rolled_up(*size).reshape(*size, 5), ["got (4, 6, 5)", "row of its own"]),
        (lambda *size: rolled_up(*size).astype(float), ["whole numbers, got ndarray of float64"]),
        (lambda *size: rolled_up(*size) > 3, ["whole numbers, got ndarray of bool"]),
        (lambda *size: fields.membrane(*size), ["whole numbers, got Neighbourhoods"]),
        (lambda *size: [[0, 1], [1, 0, 2]], ["of one length"]),
        (lambda *size: rolled_up(4, 6), ["For 3 rows and 5 columns", "shape"]),
    ],
)
def test_slips_of_the_cylinder_are_named(slip, words):
    refused(checks.cylinder(slip), *words)


def test_all_four_congratulate():
    for verdict in (
        checks.slipped_speed(slow, curvature),
        checks.bands(differences),
        checks.hanging_string(string, omega),
        checks.cylinder(rolled_up),
    ):
        assert repr(verdict).startswith("✓ ")
