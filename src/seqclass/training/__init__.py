"""What accompanies a run: its folder, what it prints, and the files it leaves."""

from seqclass.training.last_validation import LastValidation
from seqclass.training.layer_table import LayerRow, LayerTable, layer_rows
from seqclass.training.notebook_comparison import NotebookComparison
from seqclass.training.predictions import PredictionFile
from seqclass.training.progress import EpochProgress
from seqclass.training.run_folder import make_run_folder

__all__ = [
    "EpochProgress",
    "LastValidation",
    "LayerRow",
    "LayerTable",
    "NotebookComparison",
    "PredictionFile",
    "layer_rows",
    "make_run_folder",
]
