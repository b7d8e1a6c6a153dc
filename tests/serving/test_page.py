"""The page in a real browser: typed into, clicked, read."""

import pytest
from support.browser import BROWSER, browser_page

pytest.importorskip("litserve", reason="lacks litserve: pip install 'seqclass[serve]'")
pytest.importorskip("websockets.sync.client", reason="lacks websockets")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")

# Both requests have been answered, or one refused.
DONE = "!document.getElementById('ask').disabled"
RGB = "c => getComputedStyle(c).backgroundColor.match(/[\\d.]+/g).map(Number)"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with browser_page(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture(autouse=True)
def opened(page, served_in_process):
    page.messages.clear()
    page.open(f"http://127.0.0.1:{served_in_process.port}/")


def text_of(page, identity):
    return page.evaluate(f"document.getElementById('{identity}').innerText")


def test_says_label_probability_and_words(page, served_in_process):
    page.wait_for("document.title === 'model.ckpt'")
    page.type("The <b>dull</b>, awful story & a superb scene")
    page.press_ctrl_enter()
    page.wait_for(f"{DONE} && document.querySelector('#words mark')")
    (answer,) = served_in_process.answers("The <b>dull</b>, awful story & a superb scene", explain=True)
    label = answer["labels"][0]
    assert text_of(page, "labels") == label
    shares = page.evaluate("[...document.querySelectorAll('.bar')].map(row => row.innerText.split('\\n'))")
    expected = sorted(answer["probabilities"].items(), key=lambda entry: -entry[1])
    assert shares == [[name, f"{100 * share:.1f}%"] for name, share in expected]
    words = [entry["word"] for entry in answer["explanation"]["words"]]
    assert text_of(page, "words").split() == words
    strongest = max(answer["explanation"]["words"], key=lambda entry: abs(entry["weight"]))
    look = f"m => [m.innerText, m.className, ({RGB})(m)]"
    marks = page.evaluate(f"[...document.querySelectorAll('#words mark')].map({look})")
    most = max(marks, key=lambda mark: mark[2][3])
    assert most[0] == strongest["word"]
    for word, kind, (red, _, blue, opacity) in marks:
        assert (kind == "for") == (red > blue)
        assert 0 < opacity <= 0.65, word
    signs = {entry["word"]: entry["weight"] > 0 for entry in answer["explanation"]["words"]}
    assert all(signs[word] == (kind == "for") for word, kind, _ in marks)
    assert all(page.evaluate(f"[...document.querySelectorAll('#legend mark')].map(m => ({RGB})(m)[3] > 0.3)"))
    assert page.messages == []


def test_refusals_are_shown_and_go_away(page):
    page.type("film " * 60)
    page.click("#ask")
    page.wait_for(f"{DONE} && !document.getElementById('problem').hidden")
    assert text_of(page, "problem") == "texts[0]: String should have at most 200 characters"
    assert page.evaluate("document.getElementById('answer').hidden")
    page.evaluate("document.getElementById('text').value = ''; document.getElementById('text').focus()")
    page.type("a superb film")
    page.click("#ask")
    page.wait_for(f"{DONE} && document.querySelector('#words mark')")
    assert page.evaluate("document.getElementById('problem').hidden")


def test_unknown_words_are_pointed_out(page):
    page.type("zzz")
    page.click("#ask")
    page.wait_for(f"{DONE} && !document.getElementById('answer').hidden")
    assert "knows none of these words" in text_of(page, "unknown")
    assert page.evaluate("document.getElementById('unknown').offsetHeight") > 0


def test_an_empty_text_is_not_asked(page):
    page.click("#ask")
    assert page.evaluate("document.getElementById('answer').hidden")
    assert page.evaluate("document.querySelector('textarea:invalid') !== null")


@pytest.mark.parametrize("width", [1280, 380])
def test_fits_the_window_and_asks_nobody_else(page, served_in_process, width):
    address = f"http://127.0.0.1:{served_in_process.port}/"
    page.open(address, width=width)
    page.evaluate("document.getElementById('text').focus()")
    page.type("superb" * 30)
    page.click("#ask")
    page.wait_for(f"{DONE} && !document.getElementById('answer').hidden")
    assert page.evaluate("innerWidth") == width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
    assert page.evaluate(f"{outside}.length") == 0
    asked = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert set(asked) == {f"{address}info", f"{address}classify"}
