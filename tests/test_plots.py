"""The figures, the glue and the player: a self-contained page with a labelled slider."""

import base64
import io
import json
import math
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lnn_tutorial import plots
from lnn_tutorial.plots import pictures


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


def player(draw=draw, **changes):
    settings = {"alt": "A pendulum <at rest>.", "length": LENGTHS} | changes
    return plots.interactive(draw, **settings)


def constant(made, name):
    """A constant of a player's script."""
    return json.JSONDecoder().raw_decode(made.html.split(f"{name} = ", 1)[1])[0]


def frames_of(made):
    """The pictures of a player as its script puts them together: SVG, or the bytes of a WebP."""
    lines, frames = constant(made, "lines"), constant(made, "frames")
    if not lines:
        return [base64.b64decode(frame) for frame in frames]
    ranges = [zip(frame[::2], frame[1::2], strict=True) for frame in frames]
    return ["\n".join(line for a, b in r for line in lines[a:b]) for r in ranges]


def test_the_player_has_a_picture_with_alt_text_and_a_labelled_slider():
    page = Page(player()._repr_html_())
    (img,) = page.all("img")
    (slider,) = page.all("input")
    assert img["alt"] == "A pendulum <at rest>. Shown: length 0.5."
    assert (img["width"], img["height"]) == ("288", "192"), "96 pixels an inch"
    (figure,) = page.all("figure")
    assert figure["style"] == "width:360px", "a narrow one is shown a quarter larger"
    assert slider["type"] == "range"
    assert (slider["min"], slider["max"], slider["value"]) == ("0", "2", "0")
    assert slider["aria-valuetext"] == "0.5"
    inside = next(parents for tag, _, parents in page.elements if tag == "input")
    assert "label" in inside
    assert page.texts["span"] == ["length"]
    assert page.texts["output"] == ["0.5"]
    assert page.all("button") == page.all("figcaption") == page.all("datalist") == []


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
    assert two.frames == len(set(frames_of(two))) == 6
    assert [slider["value"] for slider in page.all("input")] == ["1", "1"]
    assert page.texts["span"] == ["length ℓ", "colour"]
    assert page.texts["output"] == ["1.00 m", "hnn"]
    assert page.texts["button"] == ["Play"]
    assert page.texts["figcaption"] == ["Longer & longer."]
    assert page.all("img")[0]["alt"].endswith("Shown: length ℓ 1.00 m, colour hnn.")
    assert repr(two) == "<Player: 6 pictures, sliders: length, colour>"


def test_a_frame_is_the_picture_that_was_drawn():
    for made, length in zip(frames_of(player()), LENGTHS, strict=True):
        assert made == pictures.svg(draw(length))


def test_the_still_is_the_picture_of_the_start_values():
    stills = {Page(player(start={"length": x}).html).all("img")[0]["src"] for x in LENGTHS}
    assert len(stills) == 3
    still = Page(player().html).all("img")[0]["src"].removeprefix("data:image/png;base64,")
    picture = Image.open(io.BytesIO(base64.b64decode(still)))
    assert picture.size == (330, 220)
    ink = np.array([0x00, 0x72, 0xB2])
    found = picture.convert("RGB").getcolors(256)
    assert min(np.abs(np.array(rgb) - ink).max() for _, rgb in found) < 32


def test_what_all_frames_share_is_stored_once():
    few, many = (player(length=np.linspace(0.5, 2.5, n).tolist()) for n in (3, 40))
    assert len(many.html) - len(few.html) < 40 * 1000


def noise(length):
    """A picture that no vectors could hold."""
    fig, ax = plt.subplots(figsize=(3, 2))
    ax.imshow(np.random.default_rng(int(10 * length)).normal(size=(300, 300)))
    return fig


def test_what_is_heavy_as_vectors_becomes_pixels(monkeypatch):
    monkeypatch.setattr("lnn_tutorial.plots.player.BUDGET", 50_000)
    made = player(noise)
    frames = [Image.open(io.BytesIO(frame)) for frame in frames_of(made)]
    assert [(frame.format, frame.size) for frame in frames] == 3 * [("WEBP", (432, 288))]
    assert len(made.html) < 500_000


def test_the_player_is_small_self_contained_and_the_same_every_time():
    html = player(play=True, caption="A caption.").html
    assert html == player(play=True, caption="A caption.").html
    assert html != player(play=True, caption="Another caption.").html
    assert len(html) < 40_000
    html = html.replace("http://www.w3.org/", "")  # the names of SVG's elements
    assert not re.search(r"https?:|[\"'(]//|\burl\((?!#)|@import", html)


def test_a_jump_in_the_values_is_marked():
    jump = player(length=[0.5, 0.6, 0.7, 2.0, 2.1], formats={"length": "{:.1f} m"}, play=True)
    page = Page(jump.html)
    assert page.texts["small"] == ["(jumps from 0.7 m to 2.0 m)"]
    assert [option["value"] for option in page.all("option")] == ["3"]
    assert page.all("input")[0]["list"] == page.all("datalist")[0]["id"]
    assert constant(jump, "jumps") == [3]
    for steady in ([0.5, 0.6, 0.7, 0.8], [0.01, 0.1, 1.0, 10.0], [1, 3, 10, 30]):
        assert constant(player(length=steady), "jumps") == []


def test_numbers_beside_a_slider_read_as_in_a_book():
    assert constant(player(length=[-0.5, 1e-5, 2.0]), "texts") == [
        ["−0.5", "1\u00a0×\u00a010⁻⁵", "2"]
    ]
    signed = player(length=[-0.5, 0.5], formats={"length": "{:+.1f} m"})
    assert constant(signed, "texts") == [["−0.5 m", "+0.5 m"]]


def test_a_player_says_how_large_its_text_is():
    known = json.loads(Page(player().html).all("figure")[0]["data-figure"])
    assert known["inches"] == 3.0
    assert known["smallest_text"] == 10.0
    assert known["models"] == {"lnn": []}


def test_no_figure_stays_open():
    outer = plt.figure()
    before = plt.get_fignums()
    player()
    with pytest.raises(TypeError):
        plots.interactive(lambda size: plt.figure() and None, alt="…", size=[1, 2])
    assert plt.get_fignums() == before == [outer.number]


def test_a_script_cannot_be_broken_by_text():
    html = player(
        alt="</script><!--", formats={"length": "</script><b>{}"}, labels={"length": "<i>long"}
    ).html
    assert html.count("</script>") == 1
    assert "<!--" not in html.split("<script>")[1]
    assert not {"b", "i"} & {tag for tag, _, _ in Page(html).elements}


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
        ({"v0": [1, 2]}, ValueError, "a label with a word that says what v0 is"),
        ({"labels": {"length": "ℓ (m)"}}, ValueError, "a label with a word"),
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
        plots.interactive(lambda size: plt.subplots()[1], alt="…", size=[1, 2])
    with pytest.raises(ValueError, match="frames of one size"):
        plots.interactive(lambda size: plt.figure(figsize=(size, 1)), alt="…", size=[1, 2])


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


def test_glue_takes_several_at_once_as_prose_prints_them(shown, capsys):
    variables = pytest.importorskip("myst_nb.core.variables")
    plots.glue(ch3_error=4e-5, ch3_steps=np.int64(12_800), ch3_best="soft\u00a0plus")
    glued = {
        settings["metadata"]["scrapbook"]["name"]: variables.format_plain_text(text, "s")
        for (text,), settings in ((data.values(), settings) for data, settings in shown)
    }
    assert glued == {
        "ch3_error": "4\u00a0×\u00a010⁻⁵",
        "ch3_steps": "12,800",
        "ch3_best": "soft\u00a0plus",
    }
    assert capsys.readouterr().out.splitlines() == [f"{k} = {v}" for k, v in glued.items()]


def test_nothing_is_glued_where_one_value_is_bad(shown):
    with pytest.raises(ValueError, match="finite number, got inf"):
        plots.glue(ch1_good=1.0, ch1_bad=np.inf)
    with pytest.raises(TypeError, match="expected names and values"):
        plots.glue()
    with pytest.raises(TypeError, match="expected names and values"):
        plots.glue("ch1_a", 1.0, ch1_b=2.0)
    assert shown == []


@pytest.mark.parametrize("name", ["", "1st", "a:b", "a b", "ä", None])
def test_a_bad_name_is_refused(name):
    with pytest.raises(ValueError, match="expected a name of letters"):
        plots.glue(name, 1.0)


def test_a_bad_value_is_refused():
    with pytest.raises(ValueError, match="finite number, got nan"):
        plots.glue("a", np.nan)
    for value in ([1.0, 2.0], None, object()):
        with pytest.raises(TypeError, match="one number, or text"):
            plots.glue("a", value)


# --- Numbers --------------------------------------------------------------------------


def read_back(text):
    """The number that a reader reads."""
    digits = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--", ",\u00a0")
    mantissa, _, power = text.partition("×")
    exponent = power.strip("\u00a0").removeprefix("10").translate(digits) or "0"
    return float(f"{mantissa.translate(digits)}e{exponent}")


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.00412, 2, "0.0041"),
        (-0.41, 2, "−0.41"),
        (1.3, 2, "1.3"),
        (1.96, 2, "2.0"),
        (0.5, 2, "0.5"),
        (12_800, 2, "12,800"),
        (2000, 2, "2000"),
        (-1_234_567, 2, "−1,234,567"),
        (128.4, 2, "130"),
        (128.0, 2, "128"),
        (43_218.7, 3, "43,200"),
        (4e-5, 2, "4\u00a0×\u00a010⁻⁵"),
        (-4.24e-5, 2, "−4.2\u00a0×\u00a010⁻⁵"),
        (0.00099999, 2, "0.0010"),
        (999_970.5, 2, "1.0\u00a0×\u00a010⁶"),
        (2e6, 2, "2\u00a0×\u00a010⁶"),
        (np.float32(0.1), 3, "0.1"),
        (np.array(math.pi), 4, "3.142"),
        (0.0, 2, "0"),
        (-0.0, 2, "0"),
        (9.96, 1, "10"),
    ],
)
def test_a_number_reads_as_in_a_book(value, digits, text):
    assert plots.number(value, digits) == text


@given(
    st.floats(min_value=1e-300, max_value=1e300) | st.floats(-1e300, -1e-300),
    st.integers(min_value=1, max_value=8),
)
def test_what_a_number_reads_is_right_to_its_last_digit(value, digits):
    text = plots.number(value, digits)
    exponent = math.floor(math.log10(abs(value)))
    half = 0.5 * 10.0 ** (exponent - digits + 1)
    assert abs(read_back(text) - value) <= half * (1 + 1e-9)
    assert not re.search(r"[- e]", text)


@given(st.integers(-(10**15), 10**15))
def test_a_whole_number_keeps_every_digit(value):
    assert read_back(plots.number(value)) == value


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_a_number_must_be_finite(value):
    with pytest.raises(ValueError, match="finite"):
        plots.number(value)


def test_a_number_must_be_one_number_of_some_digits():
    for value in ("1.3", [1.0, 2.0], None, True, 1j):
        with pytest.raises(TypeError, match="one number"):
            plots.number(value)
    for digits in (0, 1.5, True):
        with pytest.raises(ValueError, match="at least one digit"):
            plots.number(1.0, digits)


# --- Tables ---------------------------------------------------------------------------

ERROR, SPEED = "error (%)", "speed"
MEASURED = {
    "lnn": {ERROR: [0.41, 0.3, 0.9], SPEED: 3},
    "plain": {ERROR: [40.0, 1.3, 0.2], SPEED: 12_800},
    "tanh & <ReLU>": {ERROR: [np.nan, np.inf, 7.0]},
    "truth": {ERROR: 1e-6, SPEED: "as it is"},
}


def measured(**changes):
    settings = {"caption": "Errors <and> speeds.", "best": {ERROR: "low", SPEED: "high"}}
    return plots.table(MEASURED, **settings | changes)


def xml(made):
    """The table, read by a parser that forgives nothing."""
    return ET.fromstring(made._repr_html_())


def text(element):
    return "".join(element.itertext())


def body(made):
    """{row: its cells}."""
    rows = xml(made).findall("tbody/tr")
    return {text(row.find("th")): row.findall("td") for row in rows}


def test_a_table_is_well_formed_and_has_what_a_screen_reader_needs():
    made = xml(measured(name="tab-ch5-energy", head="model"))
    assert made.tag == "table"
    assert made.get("class") == "lnn-table"
    assert made.get("data-name") == "tab-ch5-energy"
    assert text(made.find("caption")) == "Errors <and> speeds."
    heads = made.findall("thead/tr/th")
    assert [text(head) for head in heads] == ["model", ERROR + "median, worst", SPEED]
    assert {head.get("scope") for head in heads} == {"col"}
    assert {row[0].get("scope") for row in made.findall("tbody/tr")} == {"row"}
    assert all(dot.get("aria-hidden") == "true" for dot in made.findall(".//*[@class='lnn-dot']"))
    assert not {"id", "script", "style"} & {element.tag for element in made.iter()}


def test_seeds_become_their_median_and_the_worst_of_them():
    cells = body(measured())
    spoken = [text(row[0]) for row in cells.values()]
    assert spoken == [
        "0.41 worst seed 0.9",
        "1.3 worst seed 40",
        "diverged worst seed diverged",
        "1\u00a0×\u00a010⁻⁶",
    ]
    heard = body(measured(each="start"))
    assert text(heard["●\u00a0plain network"][0]) == "1.3 worst start 40"
    high = {"fast": {"rate": [1, 2, 9]}, "slow": {"rate": [3, 4, 5]}}
    cells = body(plots.table(high, caption="Rates.", best="high"))
    assert text(cells["fast"][0]) == "2 worst seed 1"
    assert text(cells["slow"][0].find("strong")) == "4"


def test_the_best_median_is_bold_and_the_truth_does_not_compete():
    cells = body(measured())
    bold = {
        row: [td.find("strong[@class='best']") is not None for td in tds]
        for row, tds in cells.items()
    }
    lnn, plain, other, truth = bold.values()
    assert (lnn, plain) == ([True, False], [False, True])
    assert other == truth == [False, False]
    unjudged = plots.table({"lnn": {"a": 1}, "plain": {"a": 2}}, caption="Figures.")
    assert not xml(unjudged).findall(".//strong")


def test_equal_texts_share_the_bold():
    made = plots.table({"a": {"x": 1.001}, "b": {"x": 1.002}}, caption="Equal.", best="low")
    assert len(xml(made).findall(".//strong")) == 2


def test_a_model_has_its_dot_and_its_name():
    made = xml(measured())
    dots = made.findall(".//*[@class='lnn-dot']")
    assert [dot.get("style") for dot in dots] == [
        f"color:{plots.COLOURS['lnn']}",
        f"color:{plots.COLOURS['plain']}",
        None,  # black would vanish in the dark
    ]
    assert next(iter(body(measured()))) == "●\u00a0Lagrangian network"
    assert "tanh & <ReLU>" in body(measured())


def test_a_column_of_numbers_is_set_right():
    made = plots.table({"a": {"x": 1, "why": "big"}, "b": {"why": "small"}}, caption="Why.")
    for row in body(made).values():
        number, word = row
        assert number.get("class") == "num" and "text-align:right" in number.get("style")
        assert word.get("class") is None
    assert text(body(made)["b"][0]) == "–"


def test_a_script_prints_aligned_columns():
    lines = repr(measured(head="model")).splitlines()
    assert lines[0] == "Errors <and> speeds."
    assert lines[2].split() == ["Lagrangian", "network", "0.41*", "(worst", "0.9)", "3"]
    ends = {len(line) for line in lines[1:]}
    assert len(ends) == 1, "the last column ends where it ends"


def test_digits_may_differ_by_column():
    made = plots.table({"a": {"x": math.pi, "y": math.pi}}, caption="Pi.", digits={"x": 4})
    assert [text(td) for td in body(made)["a"]] == ["3.142", "3.1"]


@pytest.mark.parametrize(
    ("rows", "settings", "error", "message"),
    [
        ({}, {}, TypeError, "expected rows as"),
        ([1, 2], {}, TypeError, "expected rows as"),
        ({"lnn": {}}, {}, TypeError, "the row 'lnn' as"),
        ({"lnn": 3.0}, {}, TypeError, "the row 'lnn' as"),
        ({"lnn": {"x": 1}}, {"caption": " "}, ValueError, "expected a caption"),
        ({"lnn": {"x": 1}}, {"name": "ch5"}, ValueError, "a name such as tab-"),
        ({"lnn": {"x": 1}}, {"best": "least"}, ValueError, 'best "low" or "high", got \'least\''),
        ({"lnn": {"x": 1}}, {"best": {"y": "low"}}, ValueError, r"best of \['x'\], got \['y'\]"),
        ({"lnn": {"x": 1}}, {"digits": {"y": 2}}, ValueError, "digits of"),
        ({"lnn": {"x": [1, 2]}}, {}, ValueError, "what the worst x of lnn is"),
        ({"lnn": {"x": []}}, {"best": "low"}, TypeError, "x of lnn to be a number"),
        ({"lnn": {"x": None}}, {}, TypeError, "x of lnn to be a number"),
        ({"lnn": {"x": [[1.0]]}}, {"best": "low"}, TypeError, "x of lnn to be a number"),
    ],
)
def test_a_bad_table_is_refused(rows, settings, error, message):
    with pytest.raises(error, match=message):
        plots.table(rows, **{"caption": "A table."} | settings)


# --- The figure system ----------------------------------------------------------------


@pytest.mark.parametrize(("columns", "width"), [(1, 5.6), (2, 7.6), (3, 7.6)])
def test_panels_have_the_widths_of_the_book(columns, width):
    fig, axes = plots.panels(columns)
    assert fig.get_figwidth() == width
    assert np.size(axes) == columns
    fig, axes = plots.panels(columns, rows=2, height=5.0, sharex=True)
    assert fig.get_size_inches().tolist() == [width, 5.0]
    assert np.size(axes) == 2 * columns


@pytest.mark.parametrize(
    "settings",
    [{"columns": 4}, {"rows": 0}, {"height": 0.0}, {"height": np.nan}, {"figsize": (3, 3)}],
)
def test_other_panels_are_refused(settings):
    with pytest.raises(ValueError, match="expected"):
        plots.panels(**settings)
    assert plt.get_fignums() == []


def wave(points=200, **style):
    fig, ax = plots.panels()
    t = np.linspace(0, 1, points)
    noise = np.random.default_rng(0).normal(size=points)
    ax.plot(t, np.sin(9 * t) + noise, label="measured", **style)
    ax.set(xlabel="time (s)", ylabel="θ (rad)")
    return fig


def drawn(fig):
    """The tags in a figure's SVG, read by a parser that forgives nothing."""
    root = ET.fromstring(pictures.svg(fig, pictures.box(fig)))
    return [element.tag.partition("}")[2] for element in root.iter()]


def test_a_figure_is_the_same_svg_every_time_and_names_no_date():
    plots.use_style()
    first, second = (pictures.svg(wave()) for _ in range(2))
    assert first == second
    assert not re.search(r"\d{4}-\d\d-\d\d|<metadata", first)
    assert set(re.findall(r"https?://[^'\" ]+", first)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_few_points_stay_vectors_and_many_become_pixels_in_a_light_picture():
    plots.use_style()
    assert "image" not in drawn(wave(200))
    fig = wave(50_000)
    tags = drawn(fig)
    assert tags.count("image") == 1
    assert tags.count("use") > 15, "text stays sharp"
    assert len(pictures.svg(fig)) <= pictures.LIGHT
    assert not fig.axes[0].lines[0].get_rasterized(), "the figure is as it was"


def test_a_figure_keeps_its_width_and_loses_an_empty_band():
    fig, ax = plots.panels()
    ax.plot([0, 1], [0, 0.2])
    fig.draw_without_rendering()
    full = pictures.box(fig)
    ax.set(aspect="equal")
    flat = pictures.box(fig)
    assert full.width == flat.width == 5.6
    assert flat.height < 0.8 * full.height
    ax.text(2.0, 0.1, "outside", clip_on=False)
    assert pictures.box(fig).width > 5.6, "nothing is cut off"


def test_text_is_nowhere_below_nine_points_and_models_colours_say_whose_they_are():
    plots.use_style()
    ax = plots.energy(T, {"lnn": T, "tanh": T})
    ax.set_title("mine", color=plots.COLOURS["plain"], fontsize=12)
    known = pictures.facts(ax.figure, pictures.box(ax.figure))
    assert known["inches"] == 5.6
    assert known["smallest_text"] == 9.5
    assert known["models"] == {"lnn": ["Lagrangian network"], "plain": ["mine"]}
    ax.text(0, 0, "small", fontsize=7)
    assert pictures.facts(ax.figure, pictures.box(ax.figure))["smallest_text"] == 7


def test_a_notebook_shows_svg_and_beside_it_png(monkeypatch):
    formatters = pytest.importorskip("IPython.core.formatters")
    shell = type("Shell", (), {"display_formatter": formatters.DisplayFormatter()})()
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    plots.use_style()
    data, metadata = shell.display_formatter.format(wave())
    assert set(data) == {"image/svg+xml", "image/png", "text/plain"}
    assert metadata["image/svg+xml"]["figure"]["inches"] == 5.6
    png = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert png.width == pytest.approx(5.6 * 130, abs=2)
    assert metadata["image/png"]["width"] == 538, "96 pixels an inch, as the SVG"


def seen_by(rgb, kind):
    """Lightness and colour (CIELAB) as seen with a deficiency in full (Machado et al., 2009)."""
    deficiency = {
        "normal": np.eye(3),
        "protan": [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        "deutan": [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    }
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = to_xyz @ np.clip(deficiency[kind] @ linear, 0, 1) / np.sum(to_xyz, axis=1)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("kind", ["normal", "protan", "deutan"])
def test_the_other_colours_are_told_from_the_models_and_from_each_other(kind):
    """A difference of 2.3 in CIELAB is just seen; on thin lines it takes several times that."""
    lab = {
        c: seen_by(np.array(mpl.colors.to_rgb(c)), kind)
        for c in [*plots.OTHERS, *plots.COLOURS.values()]
    }
    for other in plots.OTHERS:
        for colour in lab:
            if colour != other:
                assert np.linalg.norm(lab[other] - lab[colour]) > 10, (other, colour)


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
    ax = plots.energy(T, {str(i): T for i in range(10)})
    assert not set(colours(ax)) & set(plots.COLOURS.values())
    looks = zip(colours(ax), [line.get_linestyle() for line in ax.lines], strict=True)
    assert len(set(looks)) == 10


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


def test_many_curves_in_a_colour_of_their_own_stay_solid():
    plots.use_style()
    ax = plt.subplots()[1]
    ax.plot(np.ones((3, 12)), color="black")
    assert {line.get_linestyle() for line in ax.lines} == {"-"}


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


FIGURES = {"error": [0.02, 0.01, None], "drift": [1e-4, 2e-4, 3e-4]}
CURVES = {"path": [[0.0], [1.0]], "true_path": [[0.0], [0.9]], "energy": [[0.0, 0.1], [0.0, None]]}


def a_matrix(**change):
    given = {
        "cells": {
            "ball & floor": {
                "plain": {"all": FIGURES, "curves": CURVES, "times": 5},
                "lnn": {"all": {}},
            }
        },
        "columns": {"plain": ("plain", "#D55E00"), "lnn": ("Lagrangian", "#0072B2")},
        "measures": {"error": ("error", 1e-3, 1.0), "drift": ("drift", 1e-6, 1e-3)},
        "variants": {"all": "all states"},
        "caption": "How wrong <two> networks are.",
    } | change
    return plots.matrix(given.pop("cells"), **given)


def constants(html, name):
    """What the page's script starts from."""
    start = html.index(f"{name} = ") + len(f"{name} = ")
    return json.JSONDecoder().raw_decode(html[start:])[0]


def test_a_matrix_shows_medians_where_no_script_runs():
    html = a_matrix()._repr_html_()
    table = html[html.index("<table>") : html.index("</table>")]
    assert "ball &amp; floor" in table
    assert "<td><span>0.02</span></td><td><span></span></td>" in table
    assert "&lt;two&gt;" in html


def test_a_matrix_holds_the_median_and_the_worst_of_the_members():
    found = constants(a_matrix().html, "cells")["ball & floor"]
    assert found["plain"]["figures"]["all"] == {"error": [0.02, None], "drift": [2e-4, 3e-4]}
    assert found["plain"]["energy"] == [[0, 0.1], [0, None]]
    assert found["lnn"] == {"figures": {"all": {}}}


def test_a_matrix_is_the_same_every_time():
    assert a_matrix().html == a_matrix().html
    assert a_matrix().html != a_matrix(caption="Another.").html


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"caption": " "}, "caption"),
        ({"cells": {}}, "cells"),
        ({"columns": None}, "columns"),
        ({"measures": {"error": ("error", 1.0, 0.1)}}, "good < bad of error"),
        ({"cells": {"ball": {"cnn": {}}}}, "cnn"),
        ({"columns": {"plain": ("plain", "red"), "lnn": ("L", "#0072B2")}}, "colour such as"),
        ({"cells": {"ball": {"lnn": {"curves": CURVES}}}}, "times beside curves"),
        ({"cells": {"ball": {"lnn": {"all": {"error": []}}}}}, "a number for each member"),
    ],
)
def test_a_matrix_of_nothing_is_refused(change, message):
    with pytest.raises((TypeError, ValueError), match=message):
        a_matrix(**change)
