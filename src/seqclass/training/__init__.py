"""What accompanies a run: its folder, what it prints, and the files it leaves."""

from seqclass.training.layer_table import LayerRow, LayerTable, layer_rows
from seqclass.training.notebook import NOTEBOOK_RESULTS, EpochResult, NotebookComparison
from seqclass.training.predictions import PredictionFile
from seqclass.training.progress import EpochProgress
from seqclass.training.run_folder import make_run_folder

__all__ = [
    "NOTEBOOK_RESULTS",
    "EpochProgress",
    "EpochResult",
    "LayerRow",
    "LayerTable",
    "NotebookComparison",
    "PredictionFile",
    "layer_rows",
    "make_run_folder",
]
