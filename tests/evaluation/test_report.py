"""The page in a real browser, wide and narrow."""

import re
import shutil
import subprocess

import pytest

from seqclass.classifier import TextClassifier
from seqclass.evaluation.evaluate import evaluate
from seqclass.evaluation.texts import LabelledText, labelled_texts

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# Added to a copy of the page: writes what it measures into the page's title.
PROBE = """<script>
const charts = [...document.querySelectorAll("svg")];
const drawn = charts.every(s => s.getBBox().height > 200 && s.querySelector("path.curve, rect.bar")
  && !/nan/i.test(s.innerHTML));
const outside = [...document.querySelectorAll("body *")].filter(e => !e.closest(".scroll") && !e.closest("svg")
  && e.getBoundingClientRect().right > innerWidth + 1).length;
document.title = [innerWidth, document.documentElement.scrollWidth, outside, charts.length, drawn,
  performance.getEntriesByType("resource").length].join(" ");
</script>"""


@pytest.fixture(scope="module")
def report(checkpoint, easy_reviews, tmp_path_factory):
    classifier = TextClassifier.load(checkpoint)
    wrong = [
        LabelledText(f"wrong {number}", "a <b>wonderful</b> film & <script>alert(1)</script> " * number, ("neg",))
        for number in range(1, 4)
    ]
    out = tmp_path_factory.mktemp("report")
    evaluate(classifier, [*labelled_texts(easy_reviews), *wrong], out, name="a <model>")
    return out / "report.html"


def test_is_self_contained_and_escapes_texts(report):
    page = report.read_text(encoding="utf-8")
    assert "a &lt;model&gt;" in page
    assert "<script" not in page
    assert not re.search(r"(src|href)=|url\(|https?://|@import", page)
    assert "wrong 1" in page
    assert re.search(r"<mark [^>]*>wonderful</mark>", page)


@pytest.fixture(scope="module")
def labels_report(labels_checkpoint, labelled_rows, tmp_path_factory):
    classifier = TextClassifier.load(labels_checkpoint)
    texts = [
        LabelledText(str(number), text, tuple(labels.split(";")) if labels else ())
        for number, (text, labels) in enumerate(labelled_rows)
    ]
    wrong = [LabelledText("missed", "a film", ("good",)), LabelledText("invented", "a superb film", ())]
    out = tmp_path_factory.mktemp("labels_report")
    evaluate(classifier, [*texts, *wrong], out)
    return out / "report.html"


def test_several_labels_a_text(labels_report):
    page = labels_report.read_text(encoding="utf-8")
    assert "402 texts of 2 labels, any number of them a text" in page
    assert "single labels right" in page
    assert "Confusion matrix" not in page
    assert re.search(r"not <b>good</b> with \d\d\.\d%, is good ", page)
    assert re.search(r"<summary><b>good</b> with \d\d\.\d%, is none ", page)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("width", [1280, 500])
@pytest.mark.parametrize("kind", ["report", "labels_report"])
def test_fits_the_window(kind, width, tmp_path, request):
    report = request.getfixturevalue(kind)
    probed = tmp_path / "probed.html"
    probed.write_text(report.read_text(encoding="utf-8").replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run(
        [*command, f"--window-size={width},900", "--dump-dom", probed.as_uri()],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    title = re.search(r"<title>(.*?)</title>", done.stdout)
    inner, scroll, outside, charts, drawn, fetched = title[1].split()
    assert int(inner) == width
    assert int(scroll) <= width
    assert (outside, charts, drawn, fetched) == ("0", "4", "true", "0")
