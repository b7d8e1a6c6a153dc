"""`seqclass inspect`: what was understood of a data set, before training."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from seqclass.commands.options import new_parser, parse
from seqclass.data import OWN_FILTERS, OwnTexts
from seqclass.data.inspection import Inspection, inspect_texts
from seqclass.text import Tokenizer

_MOST_CLASSES = 30


def run(arguments: Sequence[str]) -> None:
    parser = new_parser(
        "inspect", "Show what stands in labelled texts, and recommend sizes. Options are those of `--data` in fit."
    )
    parser.add_argument("train", type=str, help="a .csv, .tsv, .jsonl or .parquet file (also .gz), or a folder")
    parser.add_argument("--test", type=str | None, help="the test texts, if they stand apart")
    parser.add_argument("--val", type=str | None, help="likewise, the validation texts")
    parser.add_argument("--text_column", type=str, nargs="+", default=["text"], help="several are joined")
    parser.add_argument("--label_column", type=str, default="label")
    parser.add_argument("--encoding", type=str, default="utf-8", help="such as cp1252 or utf-16")
    parser.add_argument(
        "--label_separator", type=str | None, help="what stands between the labels of a text, if it may have several"
    )
    parser.add_argument("--quotes", type=bool, default=True, help='whether " quotes fields')
    options = parse(parser, arguments).as_dict()
    source = OwnTexts(**options, empty_texts="keep")
    inspection = inspect_texts(source, Tokenizer(lower="unicode", filters=OWN_FILTERS))
    console = Console()
    for table in inspection_tables(inspection):
        console.print(table)
    for line in _remarks(inspection):
        console.print(line, highlight=False, soft_wrap=True)


def inspection_tables(inspection: Inspection) -> tuple[Table, Table]:
    """The figures of the parts side by side, and the classes of each."""
    parts = inspection.parts
    figures = Table(title="Texts", title_justify="left")
    classes = Table(title="Classes", title_justify="left")
    for table in (figures, classes):
        table.add_column("")
        for name in parts:
            table.add_column(name, justify="right")
    rows = {
        "texts": [f"{part.texts:,}" for part in parts.values()],
        "words of a text: least": [f"{part.lengths[0]:,}" for part in parts.values()],
        "median": [f"{part.lengths[1]:,}" for part in parts.values()],
        "95% have at most": [f"{part.lengths[2]:,}" for part in parts.values()],
        "most": [f"{part.lengths[3]:,}" for part in parts.values()],
        "empty texts": [f"{part.empty:,}" for part in parts.values()],
        "texts without words": [f"{part.wordless:,}" for part in parts.values()],
        "duplicates": [f"{part.duplicates:,}" for part in parts.values()],
        "texts with several labels": [f"{part.contradictions:,}" for part in parts.values()],
        "texts that are in train too": [f"{part.from_training:,}" for part in parts.values()],
        "words outside the vocabulary": [f"{part.unknown_share:.1%}" for part in parts.values()],
    }
    for name, cells in rows.items():
        figures.add_row(name, *cells)
    labels = list(dict.fromkeys(label for part in parts.values() for label in part.class_counts))
    for label in labels[:_MOST_CLASSES]:
        counts = [(part.class_counts.get(label, 0), part.texts) for part in parts.values()]
        classes.add_row(escape(label), *(f"{count:,} ({count / max(texts, 1):.1%})" for count, texts in counts))
    if len(labels) > _MOST_CLASSES:
        classes.add_row(f"and {len(labels) - _MOST_CLASSES} more")
    return figures, classes


def _remarks(inspection: Inspection) -> list[str]:
    train = inspection.parts["train"]
    remarks = [
        f"{inspection.distinct_words:,} distinct words in train. Recommended: --data.num_words {inspection.num_words} "
        f"--data.maxlen {inspection.maxlen}"
    ]
    if len(train.class_counts) < 2:
        remarks.append("There is one class only: nothing can be trained.")
    for label, count in train.class_counts.items():
        if count == 1:
            remarks.append(escape(f"Class {label!r} has a single text, too few to hold one out."))
    for name, part in inspection.parts.items():
        unseen = [label for label in part.class_counts if label not in train.class_counts]
        if unseen:
            remarks.append(escape(f"Labels of {name} that no training text has: {', '.join(map(repr, unseen[:20]))}"))
        if part.from_training:
            remarks.append(f"{part.from_training:,} texts of {name} are training texts: its figures will flatter.")
    if any(part.empty for part in inspection.parts.values()):
        remarks.append("Empty texts are errors in training, unless --data.empty_texts is keep or skip.")
    if train.class_counts and max(train.class_counts.values()) > 3 * min(train.class_counts.values()):
        remarks.append("The classes differ much in size: consider --model.class_weights balanced.")
    return remarks
