"""Models from and to other programs: Keras 1, 2 and 3 files, ONNX, torch.export.

A file from elsewhere is data: it is read with bounds on its sizes, and nothing in it is executed. `onnx`, which needs
the extra of that name, and `torch_export` are imported by themselves.
"""

from seqclass.interop.keras import ImportReport, export_keras, import_keras

__all__ = ["ImportReport", "export_keras", "import_keras"]
