"""The page in a real browser, wide and narrow."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from seqclass.classifier import TextClassifier
from seqclass.evaluation.evaluate import evaluate
from seqclass.evaluation.json_file import write_json
from seqclass.evaluation.metrics import measure
from seqclass.evaluation.prediction import Predictions
from seqclass.evaluation.report import write_report
from seqclass.evaluation.texts import LabelledText, labelled_texts
from seqclass.models import StackOptions

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
    assert re.search("wrong [123]", page)
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
    assert "402 texts of 2 labels, any number of them per text" in page
    assert "label accuracy" in page
    assert "Confusion matrix" not in page
    assert re.search(r"not <b>good</b> with \d\d\.\d%, is good ", page)
    assert re.search(r"<summary><b>good</b> with \d\d\.\d%, is none ", page)


@pytest.fixture(scope="module")
def many_report(tmp_path_factory):
    """Of 1,000 classes, made up: nothing was trained."""
    draw = np.random.default_rng(3)
    names = tuple(f"class {number}" for number in range(1000))
    labels = np.concatenate([np.arange(1000), draw.zipf(1.5, 4000) % 1000])
    p = draw.dirichlet(np.full(1000, 0.01), 5000)
    p[np.arange(5000), labels] += draw.integers(0, 2, 5000)
    predictions = Predictions(names, labels, p / p.sum(axis=1, keepdims=True), draw.integers(1, 50, 5000), ())
    figures = measure(predictions)
    classifier = TextClassifier(StackOptions(num_embeddings=5, num_classes=1000, embedding_dim=2, hidden_size=2))
    out = tmp_path_factory.mktemp("many_report")
    write_json(out / "metrics.json", figures)
    write_report(out / "report.html", classifier, predictions, figures, name="many")
    return out / "report.html"


def test_a_thousand_classes_are_a_page_of_their_own_size(many_report):
    page = many_report.read_text(encoding="utf-8")
    assert len(page) < 200_000
    assert "The 30 with the most texts; all 1,000 are in metrics.json." in page
    figures = json.loads(many_report.with_name("metrics.json").read_text())
    assert many_report.with_name("metrics.json").stat().st_size < 500_000
    assert len(figures["classes"]) == 1000
    counts = figures["confusion_counts"]
    assert sum(sum(row.values()) for row in counts.values()) == 5000
    largest = max(count for true, row in counts.items() for name, count in row.items() if name != true)
    (first,) = re.findall(r"of the class's texts</th></tr>\n(<tr>.*?</tr>)", page)
    assert f"<td>{largest}</td>" in first


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("width", [1280, 500])
@pytest.mark.parametrize("kind", ["report", "labels_report", "many_report"])
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
