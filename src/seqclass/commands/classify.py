"""`seqclass classify CKPT [TEXT ...]`."""

import re
import sys
from collections.abc import Iterable, Sequence

from jsonargparse.typing import PositiveInt
from tqdm import tqdm

from seqclass.classifier import TextClassifier
from seqclass.commands.options import add_reading_options, new_parser, parse, reading_of
from seqclass.errors import InputError
from seqclass.evaluation.predictions_file import Columns, prediction_columns, predictions_file
from seqclass.evaluation.texts import batches, standard_input_lines, unlabelled_texts
from seqclass.files import check_not_source

# What would end the line of an answer, part it in other columns, or steer a terminal.
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def run(arguments: Sequence[str]) -> None:
    parser = new_parser("classify", "Print label, probability and text, separated by tabs; or write them to a file.")
    parser.add_argument("checkpoint", type=str, help="written by `seqclass fit`; no other file is needed")
    parser.add_argument("texts", type=str, nargs="*", help="none: each line of standard input is a text")
    parser.add_argument(
        "--input", type=str | None, help="a .csv, .tsv, .jsonl, .json or .parquet file of texts, also .gz; or a folder"
    )
    add_reading_options(parser, skip={"label_column", "label_separator"})
    parser.add_argument("--out", type=str | None, help="file to write: .csv, .jsonl or .parquet")
    parser.add_argument("--batch_size", type=PositiveInt, default=250, help="texts computed at a time")
    options = parse(parser, arguments)
    if options.texts and options.input:
        raise InputError(f"texts come from the command line or from --input {options.input}, not from both")
    reading = reading_of(options, label_column=None)
    if options.out is not None:
        check_not_source(options.out, [options.checkpoint, options.input], option="--out")
    if options.out is None and sys.stdout is None:
        raise InputError("standard output is closed; name a file to write with --out")

    classifier = TextClassifier.load(options.checkpoint)
    texts: Iterable[str] = options.texts
    if options.input:
        texts = unlabelled_texts(options.input, reading)
    elif not options.texts:
        if sys.stdin is not None and sys.stdin.isatty():
            print("Reading texts from standard input, one a line; Ctrl-D ends.", file=sys.stderr)
            options.batch_size = 1  # each line is answered at once
        texts = standard_input_lines(reading.encoding)
    if options.out is None:
        _print(classifier, texts, options.batch_size)
    else:
        _write(classifier, texts, options.batch_size, options.out)


def _print(classifier: TextClassifier, texts: Iterable[str], batch_size: int) -> None:
    for batch in batches(texts, batch_size):
        for text, result in zip(batch, classifier.classify(batch), strict=True):
            shown = _BREAKS.sub(" ", text)
            print(f"{', '.join(result.labels)}\t{result.probability:.4f}\t{shown}", flush=True)


def _write(classifier: TextClassifier, texts: Iterable[str], batch_size: int, out: str) -> None:
    row = 0
    with predictions_file(out) as write, tqdm(unit=" texts", disable=None, leave=False) as progress:
        for batch in batches(texts, batch_size):
            write(_columns(classifier, batch, first=row + 1))
            row += len(batch)
            progress.update(len(batch))
        if not row:
            write(_columns(classifier, [], first=1))  # a file with all its columns, and no rows
    print(f"{row:,} texts are in {out}", file=sys.stderr)


def _columns(classifier: TextClassifier, batch: Sequence[str], *, first: int) -> Columns:
    results = classifier.classify(batch)
    return {
        "row": list(range(first, first + len(batch))),
        "text": batch,
        **prediction_columns(
            classifier.label_names,
            [result.labels for result in results],
            [list(result.probabilities.values()) for result in results],
        ),
    }
