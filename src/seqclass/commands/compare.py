"""`seqclass compare CKPT CKPT ...`."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from seqclass.classifier import TextClassifier
from seqclass.commands.options import add_data_options, new_parser, parse, reading_of
from seqclass.errors import InputError
from seqclass.evaluation.comparison import compare
from seqclass.evaluation.json_file import write_json
from seqclass.evaluation.prediction import predict
from seqclass.evaluation.texts import labelled_texts
from seqclass.files import check_not_source

_COLUMNS = {
    "accuracy": "accuracy",
    "labels": "label_accuracy",
    "loss": "loss",
    "ROC AUC": "roc_auc",
    "MCC": "mcc",
    "Brier": "brier",
    "calibration error": "expected_calibration_error",
}


def run(arguments: Sequence[str]) -> None:
    parser = new_parser("compare", "Measure checkpoints on the same texts, side by side, with McNemar's paired test.")
    parser.add_argument("checkpoints", type=str, nargs="+", help="two or more")
    add_data_options(parser)
    parser.add_argument("--out", type=str | None, help="JSON file for the figures")
    options = parse(parser, arguments)
    paths = options.checkpoints
    if len(set(paths)) < 2:
        raise InputError(f"compare needs two checkpoints or more; given: {', '.join(paths)}")

    if options.out is not None:
        check_not_source(options.out, [*paths, options.data], option="--out")
    reading = reading_of(options)
    predictions = {
        name: predict(
            TextClassifier.load(path),
            labelled_texts(options.data, reading),
            batch_size=options.batch_size,
        )
        for name, path in _short_names(paths).items()
    }
    comparison = compare(predictions)
    console = Console()
    known = next(iter(comparison.metrics.values()))
    columns = {title: figure for title, figure in _COLUMNS.items() if figure in known}
    table = Table("checkpoint", *columns)
    for name, figures in comparison.metrics.items():
        cells = ["–" if figures[column] is None else f"{figures[column]:.4f}" for column in columns.values()]
        table.add_row(name, *cells)
    console.print(table)
    for test in comparison.tests:
        console.print(
            f"{test.first} / {test.second}: only the first is right for {test.only_first}, only the second for "
            f"{test.only_second}; McNemar's exact test: p = {test.p_value:.3g}",
            markup=False,
            highlight=False,
        )
    if options.out is not None:
        write_json(options.out, asdict(comparison))


def _short_names(paths: list[str]) -> dict[str, str]:
    """Distinct names of the checkpoints: their paths below the folder they share."""
    unique = list(dict.fromkeys(paths))
    absolute = {path: str(Path(path).absolute()) for path in unique}
    shared = os.path.commonpath([str(Path(path).parent) for path in absolute.values()])
    return {str(Path(full).relative_to(shared)): path for path, full in absolute.items()}
