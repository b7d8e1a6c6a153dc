"""All texts of a source in memory, as a test wants them."""

from typing import Any, NamedTuple

from seqclass.data import Source
from seqclass.data.split import label_array


class Part(NamedTuple):
    """One part of a data set.

    Args:
        texts: the texts.
        labels: for each text, the index of its class in the source's `label_names`; or where a text has any number of
            labels, a tuple of their indices.
        names: for each text, what a person finds it by.
    """

    texts: list[str]
    labels: list[Any]
    names: list[str]


def read(source: Source) -> dict[str, Part]:
    """Return the parts by name."""
    rows = list(source.texts())
    parts = {name: [row for row in rows if row.part == name] for name in dict.fromkeys(row.part for row in rows)}
    train = _part(source, parts["train"])
    held = set(source.test_rows(label_array(train.labels, len(source.label_names)), train.names).tolist())
    if held:
        numbered = list(enumerate(parts["train"]))
        parts["train"] = [row for number, row in numbered if number not in held]
        parts["test"] = [row for number, row in numbered if number in held]
    return {name: _part(source, rows) for name, rows in parts.items()}


def _part(source: Source, rows: list[Any]) -> Part:
    labels = [tuple(source.label_names.index(name) for name in row.labels) for row in rows]
    return Part(
        [row.text for row in rows],
        list(labels) if source.multi_label else [label for (label,) in labels],
        [row.name for row in rows],
    )
