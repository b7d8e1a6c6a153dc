"""Models from and to other programs: Keras 1, 2 and 3 files, ONNX, torch.export.

A file from elsewhere is data: it is read with bounds on its sizes, and nothing in it is executed. `onnx_export`, which
needs `onnx` (the extra of that name), and `torch_export` are imported by themselves.
"""

from seqclass.interop.keras_export import export_keras
from seqclass.interop.keras_import import ImportReport, import_keras

__all__ = ["ImportReport", "export_keras", "import_keras"]
