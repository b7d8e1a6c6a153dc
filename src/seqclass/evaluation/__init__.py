"""What a checkpoint is worth: its predictions, metrics and report; several side by side; answers to raw texts."""

from seqclass.evaluation.comparison import Comparison, compare
from seqclass.evaluation.evaluate import evaluate
from seqclass.evaluation.metrics import measure
from seqclass.evaluation.prediction import Predictions, predict

__all__ = ["Comparison", "Predictions", "compare", "evaluate", "measure", "predict"]
