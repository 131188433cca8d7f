"""The figures, the glue and the player: a self-contained page with a labelled slider."""

import base64
import io
import re
from html.parser import HTMLParser

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from lnn_tutorial import _player, plots


@pytest.fixture(autouse=True)
def no_figure_is_left():
    """Every test starts and ends with matplotlib as it was."""
    mpl.use("agg")
    with mpl.rc_context():
        yield
    plt.close("all")


def draw(length, colour="lnn"):
    """A pendulum at rest."""
    fig, ax = plt.subplots(figsize=(3, 2))
    ax.plot([0, 0], [0, -length], color=plots.COLOURS[colour])
    ax.set(ylim=(-3, 0), ylabel="y (m)")
    return fig


class Page(HTMLParser):
    """The elements of a page as (tag, attributes), and that each one opened is closed."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.open, self.texts = [], [], {}
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), list(self.open)))
        if tag not in ("img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def all(self, tag):
        return [attrs for name, attrs, _ in self.elements if name == tag]


LENGTHS = [0.5, 1.0, 2.0]


def player(**changes):
    settings = {"alt": "A pendulum <at rest>", "length": LENGTHS, "dpi": 50} | changes
    return plots.interactive(draw, **settings)


def pictures(html):
    """The PNGs in a player, the start picture first."""
    found = re.findall(r"iVBOR[A-Za-z0-9+/=]+", html)
    return [base64.b64decode(picture) for picture in found]


def test_the_player_has_a_picture_with_alt_text_and_a_labelled_slider():
    page = Page(player()._repr_html_())
    (img,) = page.all("img")
    (slider,) = page.all("input")
    assert img["alt"] == "A pendulum <at rest>"
    assert img["width"] == "300"
    assert img["height"] == "200"
    assert slider["type"] == "range"
    assert (slider["min"], slider["max"], slider["value"]) == ("0", "2", "0")
    assert slider["aria-valuetext"] == "0.5"
    inside = next(parents for tag, _, parents in page.elements if tag == "input")
    assert "label" in inside
    assert page.texts["span"] == ["length"]
    assert page.texts["output"] == ["0.5"]
    assert page.all("button") == page.all("figcaption") == []


def test_two_controls_give_every_pair_of_values():
    two = player(
        colour=["lnn", "hnn"],
        play=True,
        caption="Longer & longer.",
        start={"length": 1.0, "colour": "hnn"},
        labels={"length": "length ℓ"},
        formats={"length": "{:.2f} m"},
    )
    page = Page(two.html)
    assert two.frames == len(set(pictures(two.html))) == len(pictures(two.html)) == 6
    assert [slider["value"] for slider in page.all("input")] == ["1", "1"]
    assert page.texts["span"] == ["length ℓ", "colour"]
    assert page.texts["output"] == ["1.00 m", "hnn"]
    assert page.texts["button"] == ["Play"]
    assert page.texts["figcaption"] == ["Longer & longer."]
    assert repr(two) == "<Player: 6 pictures, sliders: length, colour>"


def test_the_first_picture_is_that_of_the_start_values():
    first = pictures(player().html)
    middle = pictures(player(start={"length": 1.0}).html)
    assert middle == [first[1], first[0], first[2]]


def test_frames_are_small_palette_pictures_of_one_size_that_keep_the_colours():
    frames = [Image.open(io.BytesIO(png)) for png in pictures(player().html)]
    assert {frame.size for frame in frames} == {(150, 100)}
    for frame in frames:
        assert frame.mode == "P"
        colours = np.array(frame.convert("RGB").getcolors(256), dtype=object)
        assert len(colours) <= 64
        assert (255, 255, 255) in list(colours[:, 1])
        line = np.array([0x00, 0x72, 0xB2])
        assert min(np.abs(np.array(rgb) - line).max() for rgb in colours[:, 1]) < 32


def test_the_player_is_small_self_contained_and_the_same_every_time():
    html = player(play=True, caption="A caption.").html
    assert html == player(play=True, caption="A caption.").html
    assert html != player(play=True, caption="Another caption.").html
    assert len(html) < 20_000
    assert not re.search(r"https?:|[\"'(]//|\burl\(|@import", html)


def test_no_figure_stays_open():
    outer = plt.figure()
    before = plt.get_fignums()
    player()
    with pytest.raises(TypeError):
        plots.interactive(lambda x: plt.figure() and None, alt="…", x=[1, 2])
    assert plt.get_fignums() == before == [outer.number]


def test_a_script_cannot_be_broken_by_text():
    html = player(formats={"length": "</script><b>{}"}, labels={"length": "<i>"}).html
    assert html.count("</script>") == 1
    assert "<b>" not in html
    assert "<i>" not in html


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"alt": " "}, ValueError, "expected alt"),
        ({"alt": None}, ValueError, "expected alt"),
        ({"length": []}, ValueError, "at least two values of length, got 0"),
        ({"length": 3.0}, TypeError, "expected a sequence of values of length, got float"),
        ({"start": {"length": 7.0}}, ValueError, r"start\['length'\]"),
        ({"start": {"mass": 7.0}}, ValueError, r"expected start of \['length'\], got \['mass'\]"),
        ({"labels": {"mass": "m"}}, ValueError, "expected labels of"),
        ({"length": list(range(501))}, ValueError, "at most 500 frames, got 501"),
        ({"colour": ["lnn"] * 2, "mass": [1, 2]}, ValueError, "one or two controls, got 3"),
        ({"fps": 0}, ValueError, "positive fps"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_drawn(changes, error, message):
    with pytest.raises(error, match=message):
        player(**changes)


def test_no_control_is_refused():
    with pytest.raises(ValueError, match="one or two controls, got 0"):
        plots.interactive(draw, alt="…")


def test_draw_must_return_figures_of_one_size():
    with pytest.raises(TypeError, match="expected draw to return a Figure, got Axes"):
        plots.interactive(lambda x: plt.subplots()[1], alt="…", x=[1, 2])
    with pytest.raises(ValueError, match="frames of one size"):
        plots.interactive(lambda x: plt.figure(figsize=(x, 1)), alt="…", x=[1, 2])


# --- Glue -----------------------------------------------------------------------------


@pytest.fixture
def shown(monkeypatch):
    """What `display` was called with."""
    calls = []
    monkeypatch.setattr(
        "IPython.display.display", lambda data, **settings: calls.append((data, settings))
    )
    return calls


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [
        ("0.20 J", "s", "0.20 J"),
        ("0.20", "s", "0.20"),
        ("it's", "s", "it's"),
        (3, "s", "3"),
        (np.float32(0.1), "s", "0.1"),
        (np.array(9.81), ".1f", "9.8"),
        (1.23456789e-16, "s", "1.23457e-16"),
        (True, "s", "True"),
    ],
)
def test_glued_text_is_what_the_book_shows(shown, value, spec, text):
    variables = pytest.importorskip("myst_nb.core.variables")
    plots.glue("ch1_value", value)
    ((data, settings),) = shown
    ((mime, stored),) = data.items()
    assert mime == settings["metadata"]["scrapbook"]["mime_prefix"] + "text/plain"
    assert settings["metadata"]["scrapbook"]["name"] == "ch1_value"
    assert settings["raw"]
    assert variables.format_plain_text(stored, spec) == text


@pytest.mark.parametrize("name", ["", "1st", "a:b", "a b", "ä", None])
def test_a_bad_name_is_refused(name):
    with pytest.raises(ValueError, match="expected a name of letters"):
        plots.glue(name, 1.0)


def test_a_bad_value_is_refused():
    with pytest.raises(ValueError, match="finite number to glue, got nan"):
        plots.glue("a", np.nan)
    for value in ([1.0, 2.0], None, object()):
        with pytest.raises(TypeError, match="one number or text"):
            plots.glue("a", value)


# --- Shared figures -------------------------------------------------------------------

T = np.linspace(0.0, 1.0, 50)


def colours(ax):
    return [mpl.colors.to_hex(line.get_color()).upper() for line in ax.lines]


def test_the_import_sets_no_style_and_use_style_does():
    before = mpl.rcParams["axes.spines.top"]
    plots.use_style()
    assert before
    assert not mpl.rcParams["axes.spines.top"]


def test_each_model_has_its_own_colour_and_name():
    assert len(set(plots.COLOURS.values())) == len(plots.COLOURS)
    assert set(plots.LABELS) == set(plots.COLOURS)
    ax = plots.energy(T, {"lnn": T, "truth": 0 * T, "plain": T**2, "mine": T})
    assert colours(ax)[:3] == [plots.COLOURS[m] for m in ("lnn", "truth", "plain")]
    assert [text.get_text() for text in ax.get_legend().get_texts()][3] == "mine"
    assert ax.get_xlabel() == "time (s)"
    assert ax.get_ylabel() == "energy (J)"


def test_curves_that_are_no_models_get_colours_of_their_own():
    ax = plots.energy(T, {"tanh": T, "relu": T, "lnn": T, "plain": T})
    assert len(set(colours(ax))) == 4
    ax = plots.energy(T, {str(i): T for i in range(9)})
    assert len(set(colours(ax))) == 8


def test_figures_draw_into_given_axes():
    ax = plt.subplots()[1]
    assert plots.trajectory(T, {"truth": T}, ylabel="θ (rad)", ax=ax) is ax
    assert plots.pendulum(np.ones((3, 2)), ax=ax) is ax
    assert plots.loss_curves({"lnn": T + 1}, ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_the_running_median_ignores_a_spike_and_keeps_its_place():
    loss = np.ones(500)
    loss[250] = 1e6
    ax = plots.loss_curves({"lnn": loss}, window=11)
    median = ax.lines[0]
    assert (median.get_ydata() == 1.0).all()
    assert (median.get_xdata()[[0, -1]] == [5, 494]).all()
    assert ax.get_yscale() == "log"
    short = plots.loss_curves({"lnn": np.ones(3)}, window=11).lines[0]
    assert list(short.get_xdata()) == [1]


@pytest.mark.parametrize("spring", [False, True])
def test_rods_join_the_pivot_to_the_bobs(spring):
    points = np.array([[[0.0, -1.0], [1.0, -1.0]], [[1.0, 0.0], [1.0, 1.0]]])
    ax = plots.pendulum(points, arms=1, spring=spring, reach=3.0)
    rods = ax.lines[1].get_xydata()
    np.testing.assert_allclose(rods[0], [0, 0])
    np.testing.assert_allclose(rods[-1], points[-1, -1])
    assert any(np.allclose(joint, points[-1, 0]) for joint in rods)
    assert ax.get_xlim() == (-3.0, 3.0)
    assert len(plots.pendulum(points, arms=2).lines) == len(ax.lines) + 2


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: plots.trajectory(T, {"lnn": T[1:]}, ylabel="E"), ValueError),
        (lambda: plots.energy(T, {}), TypeError),
        (lambda: plots.energy(T, T), TypeError),
        (lambda: plots.loss_curves({"lnn": np.ones((2, 2))}), ValueError),
        (lambda: plots.loss_curves({"lnn": []}), ValueError),
        (lambda: plots.pendulum(np.ones((3, 3))), ValueError),
        (lambda: plots.pendulum(np.ones((0, 2))), ValueError),
        (lambda: plots.pendulum(1.0), ValueError),
        (lambda: plots.pendulum(np.full((3, 2), np.nan)), ValueError),
        (lambda: plots.pendulum(np.ones((3, 2)), arms=0), ValueError),
        (lambda: plots.pendulum(np.ones((3, 2)), reach=-1.0), ValueError),
        (lambda: plots.loss_curves({"lnn": np.ones(9)}, window=0), ValueError),
        (
            lambda: plots.trajectory(np.ones((3, 2)), {"lnn": np.ones((3, 2))}, ylabel="x"),
            ValueError,
        ),
        (lambda: plots.trajectory(1.0, {"lnn": 1.0}, ylabel="x"), ValueError),
    ],
)
def test_bad_arrays_are_refused_and_leave_no_figure(call, error):
    with pytest.raises(error, match="expected"):
        call()
    assert plt.get_fignums() == []


def test_docstrings_are_true():
    import doctest

    assert doctest.testmod(_player, extraglobs={"plt": plt}).failed == 0
    plt.close("all")
