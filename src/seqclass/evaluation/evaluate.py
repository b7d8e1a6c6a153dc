"""Everything `seqclass evaluate` writes."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from seqclass.classifier import TextClassifier
from seqclass.evaluation.json_file import write_json
from seqclass.evaluation.metrics import measure
from seqclass.evaluation.prediction import predict
from seqclass.evaluation.predictions_file import prediction_columns, predictions_file
from seqclass.evaluation.report import write_report
from seqclass.evaluation.texts import LabelledText


def written_files(out: Path, predictions: str) -> list[Path]:
    """Return what `evaluate` writes, by the form of the predictions: metrics, predictions and report."""
    return [out / name for name in ("metrics.json", f"predictions.{predictions}", "report.html")]


def evaluate(
    classifier: TextClassifier,
    texts: Iterable[LabelledText],
    out: str | Path,
    *,
    name: str = "model",
    predictions: Literal["csv", "parquet"] = "csv",
    batch_size: int = 250,
) -> dict[str, Any]:
    """Measure a classifier, and write `metrics.json`, `predictions.csv` (or `.parquet`) and `report.html`.

    Args:
        classifier: with its text pipeline.
        texts: read once, in order; only labels and probabilities are kept.
        out: the folder; made if it is not there.
        name: of the model, for the report's title.
        predictions: form of the predictions.
        batch_size: texts computed at a time.

    Returns:
        The figures; see `measure`.

    Raises:
        InputError: as `predict`, or a file cannot be written.
    """
    metrics_path, predictions_path, report_path = written_files(Path(out), predictions)
    names = classifier.label_names
    with predictions_file(predictions_path) as write:

        def sink(batch: Sequence[LabelledText], rows: Any) -> None:
            write(
                {
                    "name": [item.name for item in batch],
                    "text": [item.text for item in batch],
                    "label": [", ".join(item.labels) for item in batch],
                    **prediction_columns(names, [classifier.chosen(row) for row in rows.tolist()], rows),
                }
            )

        results = predict(classifier, texts, batch_size=batch_size, sink=sink)
    figures = measure(results)
    write_json(metrics_path, figures)
    write_report(report_path, classifier, results, figures, name=name)
    return figures
