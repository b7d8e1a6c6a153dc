"""`seqclass inspect`: summarise a data set before training."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from seqclass.commands.options import new_parser, parse
from seqclass.data import OwnTexts, TextDataModule
from seqclass.data.inspection import Inspection, PartInspection, inspect_texts
from seqclass.data.sources.encodings import fitting_encodings
from seqclass.data.sources.rows import NotDecodableError
from seqclass.errors import InputError
from seqclass.messages import listed

_MOST_CLASSES = 30


# Options that do not affect how texts are read and split.
_FOR_TRAINING = {
    *("train", "test_fraction", "validation", "empty_texts", "batch_size", "eval_batch_size", "seed", "cache_dir"),
    *("word_index", "num_words", "min_count", "skip_top", "start_char", "oov_char", "index_from", "unseen_words"),
    *("maxlen", "padding", "truncating"),
}


def run(arguments: Sequence[str]) -> None:
    parser = new_parser(
        "inspect", "Summarise labelled texts, and recommend sizes. The options are those of `--data` in fit."
    )
    parser.add_argument(
        "train", type=str, help="a .csv, .tsv, .jsonl, .json or .parquet file (also .gz), several ('a-*.csv'), a folder"
    )
    parser.add_class_arguments(TextDataModule, skip=_FOR_TRAINING)
    parser.add_argument(
        "--num_words", type=int | None, help="size of the vocabulary that unknown words are counted for; else enough"
    )
    options = parse(parser, arguments).as_dict()
    num_words = options.pop("num_words")
    data = TextDataModule(**options, empty_texts="keep")
    source = data.find_source(allow_download=False)
    try:
        inspection = inspect_texts(source, data.tokenizer, num_words=num_words)
    except NotDecodableError as error:
        raise InputError(f"{error}\n{_encodings(source, error.path)}") from error
    console = Console()
    for table in inspection_tables(inspection):
        console.print(table)
    for line in _remarks(inspection, num_words):
        console.print(line, highlight=False, soft_wrap=True)


def _encodings(source: OwnTexts, path: Path) -> str:
    """Return the encodings that the file at `path`, or the files in it, could be in, for a message."""
    found = fitting_encodings(
        file for texts in source.inputs.values() for file in texts.files(source.reading) if path in (file, texts.path)
    )
    if not found:
        return "None of the common encodings can decode all of it: the files are damaged, or in several encodings."
    lines = [f"  --data.encoding {name:<10} {excerpt}" for name, excerpt in found.items()]
    return "\n".join(["All bytes are valid in these encodings; look at the excerpts to see which is right:", *lines])


def inspection_tables(inspection: Inspection) -> list[Table]:
    """Show the figures of the parts side by side, the classes of each, and their combinations if there are some."""
    parts = inspection.parts
    figures = _table("Texts", parts)
    rows = {
        "texts": [f"{part.texts:,}" for part in parts.values()],
        "words per text: minimum": [f"{part.lengths[0]:,}" for part in parts.values()],
        "median": [f"{part.lengths[1]:,}" for part in parts.values()],
        "95% have at most": [f"{part.lengths[2]:,}" for part in parts.values()],
        "maximum": [f"{part.lengths[3]:,}" for part in parts.values()],
        "empty texts": [f"{part.empty:,}" for part in parts.values()],
        "texts without words": [f"{part.wordless:,}" for part in parts.values()],
        "duplicates": [f"{part.duplicates:,}" for part in parts.values()],
        "texts with several labels": [f"{part.contradictions:,}" for part in parts.values()],
        "also in train": [f"{part.from_training:,}" for part in parts.values()],
        "words outside the vocabulary": [f"{part.unknown_share:.1%}" for part in parts.values()],
    }
    for name, cells in rows.items():
        figures.add_row(name, *cells)
    tables = [figures, _shares("Classes", parts, [part.class_counts for part in parts.values()])]
    combinations = [part.combinations for part in parts.values()]
    if any(combinations):
        tables.append(_shares("Combinations of labels", parts, combinations))
    return tables


def _table(title: str, parts: Iterable[str]) -> Table:
    table = Table("", title=title, title_justify="left")
    for name in parts:
        table.add_column(name, justify="right")
    return table


def _shares(title: str, parts: dict[str, PartInspection], counts: list[dict[str, int]]) -> Table:
    """How many texts of each part have each label."""
    table = _table(title, parts)
    labels = list(dict.fromkeys(label for of_part in counts for label in of_part))
    for label in labels[:_MOST_CLASSES]:
        found = [(of_part.get(label, 0), part.texts) for of_part, part in zip(counts, parts.values(), strict=True)]
        table.add_row(
            escape(label or "(none)"), *(f"{count:,} ({count / max(texts, 1):.1%})" for count, texts in found)
        )
    if len(labels) > _MOST_CLASSES:
        table.add_row(f"and {len(labels) - _MOST_CLASSES} more")
    return table


def _remarks(inspection: Inspection, num_words: int | None) -> list[str]:
    train = inspection.parts["train"]
    sizes = f"--data.maxlen {inspection.maxlen}"
    if num_words is None:
        sizes = f"--data.num_words {inspection.num_words} {sizes}"
    remarks = [f"{inspection.distinct_words:,} distinct words in train. Recommended: {sizes}"]
    if len(train.class_counts) < 2:
        remarks.append("There is only one class: nothing can be learned.")
    for label, count in train.class_counts.items():
        if count == 1:
            remarks.append(escape(f"Class {label!r} has only one text, too few to hold one out."))
    for name, part in inspection.parts.items():
        unseen = [label for label in part.class_counts if label not in train.class_counts]
        if unseen:
            remarks.append(escape(f"Labels of {name} that do not occur in train: {listed(unseen)}"))
        if part.from_training:
            remarks.append(f"{part.from_training:,} texts of {name} are also in train: its figures will be too good.")
    if any(part.empty for part in inspection.parts.values()):
        remarks.append("Empty texts are errors in training, unless --data.empty_texts is keep or skip.")
    if train.class_counts and max(train.class_counts.values()) > 3 * min(train.class_counts.values()):
        remarks.append("The classes are imbalanced: consider --model.class_weights balanced.")
    return remarks
