"""`seqclass evaluate CKPT`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from seqclass.classifier import TextClassifier
from seqclass.commands.options import add_data_options, new_parser, parse, reading_of
from seqclass.evaluation.evaluate import evaluate, written_files
from seqclass.evaluation.texts import labelled_texts
from seqclass.files import check_not_source


def run(arguments: Sequence[str]) -> None:
    parser = new_parser("evaluate", "Measure a checkpoint; write metrics.json, predictions and report.html.")
    parser.add_argument("checkpoint", type=str, help="the checkpoint; besides the texts, no other file is needed")
    add_data_options(parser)
    parser.add_argument(
        "--out", type=str | None, help="folder; default: NAME-evaluation beside the checkpoint NAME.ckpt"
    )
    parser.add_argument("--predictions", type=Literal["csv", "parquet"], default="csv", help="form of the predictions")
    options = parse(parser, arguments)

    checkpoint = Path(options.checkpoint)
    out = Path(options.out or checkpoint.with_name(f"{checkpoint.stem}-evaluation"))
    check_not_source(written_files(out, options.predictions), [checkpoint, options.data], option="--out")
    classifier = TextClassifier.load(checkpoint)
    texts = labelled_texts(options.data, reading_of(options))
    figures = evaluate(
        classifier,
        texts,
        out,
        name=checkpoint.stem,
        predictions=options.predictions,
        batch_size=options.batch_size,
    )
    low, high = figures["accuracy_interval"]
    print(
        f"accuracy {figures['accuracy']:.4f} (95%: {low:.4f} to {high:.4f}), loss {figures['loss']:.4f}, "
        f"{figures['texts']:,} texts"
    )
    print(f"metrics.json, predictions.{options.predictions} and report.html are in {out}")
