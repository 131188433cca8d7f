"""The playground in the browser: throw, compare, train, break, share, and what must not happen."""

import numpy as np
import pytest

from lnn_tutorial import store

PAGE = "chapters/playground.html"

# What the page itself is at, by its own names.
ASK = "playground.modules.page.open."

TOP_BUTTONS = ('[data-do="go"]', '[data-do="train"]')


@pytest.fixture(scope="module")
def page(visit):
    """The page once; motions are reduced, so nothing moves before it is let go."""
    with visit(PAGE) as seen:
        yield seen.page
        assert seen.problems == []


def ask(page, what):
    return page.evaluate(f"() => {ASK}{what}")


def angles(page, name="truth"):
    return np.array(page.evaluate(f"() => Array.from({ASK}swing.motions.{name}.q)"))


def until(page, condition, seconds=60):
    page.wait_for_function(f"() => {ASK}{condition}", timeout=1000 * seconds)


def choose(page, name, value):
    page.locator(f'[data-setting="{name}"]').select_option(value)


def press(page, name):
    page.locator(f'[data-do="{name}"]').first.click()


def note(page, where):
    return page.locator(f'[data-note="{where}"]').inner_text()


def grab(page, bob):
    """Where a bob is on the screen."""
    box = page.locator('[data-stage="--truth"]').bounding_box()
    swing = f"{ASK}swing"
    x, y = page.evaluate(
        f"() => {swing}.stages.truth.bobs({swing}.system, {swing}.motions.truth.q)[{bob}]"
    )
    return box["x"] + x + 1, box["y"] + y + 1, box


def test_nothing_moves_for_whoever_wants_less_motion(page):
    before = angles(page)
    page.wait_for_timeout(200)
    assert (angles(page) == before).all()


def test_a_bob_is_dragged_and_let_go_and_all_three_start_from_there(page):
    x, y, box = grab(page, 1)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] / 2, steps=4)
    held = angles(page)
    assert not ask(page, "swing.moving")
    assert all((angles(page, name) == held).all() for name in ("lagrangian", "plain"))
    page.mouse.up()
    until(page, "swing.time > 0.5")
    assert np.abs(angles(page) - held).max() > 0.01
    change = page.evaluate(f"() => {ASK}swing.energies['--truth'].at(-1)[1]")
    assert abs(change) < 1e-4  # percent: Runge-Kutta steps of 1/240 s
    assert page.evaluate(f"() => {ASK}swing.energies['--plain'].length") > 1


def test_keys_do_what_a_hand_does(page):
    stage = page.locator('[data-stage="--truth"]')
    stage.focus()
    stage.press("2")
    stage.press("ArrowRight")
    assert not ask(page, "swing.moving")
    before = angles(page)
    stage.press("ArrowRight")
    np.testing.assert_allclose(angles(page) - before, [0, np.pi / 60], atol=0.01)
    stage.press("1")
    stage.press("ArrowLeft")
    np.testing.assert_allclose(angles(page)[0] - before[0], -np.pi / 60, atol=0.01)
    stage.press("Enter")
    until(page, "swing.time > 0.2")
    assert ask(page, "swing.moving")


def test_another_pendulum_is_unknown_to_the_books_networks(page):
    page.locator(".lnn-playground details summary").click()
    page.locator('[data-setting="mass2"]').fill("2")
    assert ask(page, "swing.motions.plain.mover") is None
    assert "paper’s pendulum only" in note(page, "stage")
    press(page, "usual")
    assert page.evaluate(f"() => {ASK}swing.motions.plain.mover !== null")


def test_training_learns_the_pendulum_pauses_and_is_saved(page, tmp_path):
    choose(page, "steps", "2000")
    press(page, "train")
    until(page, "school.losses.lagrangian.length > 1")
    press(page, "pause")
    page.wait_for_timeout(300)  # the slice that was being worked on
    paused = ask(page, "school.losses.lagrangian.length")
    page.wait_for_timeout(400)
    assert ask(page, "school.losses.lagrangian.length") == paused
    press(page, "pause")
    until(page, "school.working === 'done'", seconds=120)
    assert ask(page, "school.losses.lagrangian.length") == 40
    live = ask(page, "school.errors.live")
    assert live["lagrangian"] < 0.01
    assert live["plain"] > live["lagrangian"] > live["truth"]
    assert ask(page, "swing.time") < 5  # the trained networks begin where their pendulum began
    for kind, model in (("lagrangian", "LNN"), ("plain", "PlainNetwork")):
        with page.expect_download() as download:
            press(page, f"save {kind}")
        file = tmp_path / f"{kind}.npz"
        download.value.save_as(file)
        loaded, params = store.load_model(str(file))
        assert type(loaded).__name__ == model
        numbers = ask(page, f"school.networks.{kind}.network.parameters[0]")
        assert float(params[0]["weight"][0, 0]) == np.float32(numbers)
    page.locator(".lnn-playground details").evaluate("fold => fold.open = true")
    for mass, known in (("2", False), ("1", True)):  # a moved slider costs no training
        page.locator('[data-setting="mass2"]').fill(mass)
        assert page.evaluate(f"() => {ASK}swing.motions.lagrangian.mover !== null") is known
        assert ("knows another pendulum" in note(page, "pendulum")) is not known


def test_a_hidden_page_does_not_compute(page):
    choose(page, "steps", "34000")
    press(page, "train")
    until(page, "school.losses.lagrangian.length > 1")
    hide = """hidden => {
      Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
      document.dispatchEvent(new Event('visibilitychange'));
    }"""
    page.evaluate(hide, True)
    page.wait_for_timeout(300)
    before = ask(page, "school.losses.lagrangian.length")
    page.wait_for_timeout(400)
    assert ask(page, "school.losses.lagrangian.length") == before
    page.evaluate(hide, False)
    until(page, f"school.losses.lagrangian.length > {before}")


@pytest.mark.parametrize(
    ("name", "value"),
    [("offset", "off"), ("loss", "squared"), ("features", "raw angle"), ("optimiser", "Adam")],
)
def test_each_ingredient_can_be_taken_away(page, name, value):
    usual = page.locator(f'[data-setting="{name}"]').input_value()
    choose(page, name, value)
    press(page, "train")
    until(page, f"school.losses.lagrangian.length > 1 || {ASK}school.working === 'idle'")
    assert ask(page, "school.trained")[name] == {"off": False}.get(value, value)
    choose(page, name, usual)


def test_a_link_brings_everything_back(page, visit):
    choose(page, "width", "16")
    hash_ = page.evaluate("() => window.location.hash")
    settings = ask(page, "settings")
    with visit(f"{PAGE}{hash_}") as again:
        assert ask(again.page, "settings") == settings
        assert again.page.locator('[data-setting="width"]').input_value() == "16"


def test_a_link_with_nonsense_falls_back_and_says_so(visit):
    with visit(f"{PAGE}#mass1=heavy&seed=4") as seen:
        assert "mass1=heavy" in note(seen.page, "stage")
        assert ask(seen.page, "settings.mass1") == 1
        assert ask(seen.page, "settings.seed") == 4
        seed = seen.page.locator('[data-setting="seed"]')
        seed.fill("-5")
        seed.blur()
        assert "whole number" in note(seen.page, "training")
        assert ask(seen.page, "settings.seed") == 4
        seed.fill("7")
        seed.blur()
        assert note(seen.page, "training") == ""
        assert ask(seen.page, "settings.seed") == 7


def test_a_link_to_a_section_is_left_alone(visit):
    with visit(f"{PAGE}#what-to-try") as seen:
        assert note(seen.page, "stage") == ""
        assert seen.page.evaluate("() => window.location.hash") == "#what-to-try"


def test_without_workers_one_still_throws_and_compares(visit):
    with visit(PAGE) as seen:
        seen.page.evaluate("() => { window.Worker = undefined; }")
        press(seen.page, "train")
        assert "no worker" in note(seen.page, "training")
        press(seen.page, "go")
        until(seen.page, "swing.time > 0.1")


def test_the_first_screen_of_a_phone_invites_to_throw_and_to_train(visit):
    with visit(PAGE, width=390) as seen:
        for what in ('[data-stage="--truth"]', '[data-stage="--plain"]', *TOP_BUTTONS):
            box = seen.page.locator(what).first.bounding_box()
            assert box["y"] + box["height"] < 740, what  # 844 less the browser's own bars
        press(seen.page, "train")
        until(seen.page, "school.losses.lagrangian.length > 0")
        assert "step" in seen.page.locator('[data-say="training"]').first.inner_text()


def test_it_works_from_a_file(browser, built_book):
    page = browser.new_page()
    page.goto(f"file://{built_book.html / PAGE}")
    choose(page, "steps", "1000")
    press(page, "train")
    until(page, "school.losses.plain.length > 1")
    page.close()


def test_it_is_light(built_book):
    files = [*(built_book.html / "playground").iterdir(), built_book.html / PAGE]
    assert sum(file.stat().st_size for file in files) < 300_000
