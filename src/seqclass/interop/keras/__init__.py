"""Models from and to files of Keras 1, 2 and 3; no Keras is needed, and nothing in a file is executed."""

from seqclass.interop.keras.exporting import export_keras
from seqclass.interop.keras.importing import import_keras
from seqclass.interop.keras.report import ImportReport
from seqclass.interop.keras.texts import TextOptions
from seqclass.interop.keras.unsaid import Unsaid

__all__ = ["ImportReport", "TextOptions", "Unsaid", "export_keras", "import_keras"]
