"""Training under Lightning: the module that trains a classifier, the command line, and what accompanies a run."""

from seqclass.training.last_validation import LastValidation
from seqclass.training.layer_table import LayerRow, LayerTable, layer_rows
from seqclass.training.new_classifier import new_classifier
from seqclass.training.notebook_comparison import NotebookComparison
from seqclass.training.predictions import PredictionFile
from seqclass.training.progress import EpochProgress
from seqclass.training.run_folder import make_run_folder
from seqclass.training.sequence_classifier import SequenceClassifier

__all__ = [
    "EpochProgress",
    "LastValidation",
    "LayerRow",
    "LayerTable",
    "NotebookComparison",
    "PredictionFile",
    "SequenceClassifier",
    "layer_rows",
    "make_run_folder",
    "new_classifier",
]
