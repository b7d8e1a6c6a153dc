"""The page that goes with a model: what it is, what it was trained on, how good it is, how to use it."""

from pathlib import Path
from typing import Any

from seqclass.classifier import MultiLabel, TextClassifier
from seqclass.files import written_whole
from seqclass.messages import listed

_HEAD = """\
---
library_name: seqclass
pipeline_tag: text-classification
tags: [text-classification, pytorch, lstm]
---
"""
_USE = """\
```python
from seqclass import TextClassifier

classifier = TextClassifier.load("{file}")
for result in classifier.classify(["..."]):
    print(result.labels, result.probability)
```

```
pip install seqclass
seqclass classify {file} "..."
```
"""


def write_model_card(classifier: TextClassifier, model: str | Path, out: str | Path) -> None:
    """Write the page as Markdown, with the metadata that model hubs read in front.

    Args:
        classifier: the model.
        model: its file, for the examples.
        out: the file to write.

    Raises:
        InputError: the file cannot be written.
    """
    with written_whole(out) as part:
        part.write_text(model_card(classifier, Path(model).name), encoding="utf-8")


def model_card(classifier: TextClassifier, file: str) -> str:
    """Write the page's text; what the checkpoint does not know is left out.

    Args:
        classifier: the model.
        file: the name of its file.
    """
    record, options = classifier.record, classifier.options
    parameters = sum(parameter.numel() for parameter in classifier.parameters())
    kind = "any number of labels" if isinstance(classifier.task, MultiLabel) else "one label"
    sections = [
        _HEAD,
        f"# {Path(file).stem}\n",
        f"A text classifier ({options.stack}, {parameters:,} parameters) that gives each text {kind}.\n",
        _section("Labels", [listed(classifier.label_names, most=100)] if classifier.label_names else []),
        _section("Use", [_USE.format(file=file)] if classifier.pipeline is not None else []),
        _section("Data", _rows(record.get("data"))),
        _section("Figures", _rows(record.get("figures"))),
        _section("Training", _rows(record.get("training"))),
        _section("Options of the stack", _rows(options.values())),
        _section("How texts are read", _rows(_reading(classifier))),
    ]
    return "\n".join(section for section in sections if section)


def _section(title: str, lines: list[str]) -> str:
    return f"## {title}\n\n" + "\n".join(lines) + "\n" if lines else ""


def _rows(values: dict[str, Any] | None) -> list[str]:
    if not values:
        return []
    return ["| | |", "|---|---|", *(f"| {name} | {_shown(value)} |" for name, value in values.items())]


def _shown(value: Any) -> str:
    text = f"{value:.4f}".rstrip("0") if isinstance(value, float) and abs(value) >= 0.01 else str(value)
    # A bar would end the cell; a line break the row.
    return text.encode("unicode_escape").decode().replace("|", "\\|") if not text.isalnum() else text


def _reading(classifier: TextClassifier) -> dict[str, Any]:
    pipeline = classifier.pipeline
    if pipeline is None:
        return {}
    state = pipeline.state()
    tokenizer = {name: value for name, value in state["tokenizer"].items() if value is not None}
    return {
        **tokenizer,
        "words": len(pipeline.vocabulary.words),
        "maxlen": pipeline.maxlen,
        "padding": pipeline.padding,
        "truncating": pipeline.truncating,
    }
