"""Models from and to other programs: Keras 1, 2 and 3 files, ONNX, torch.export.

A file from elsewhere is data: it is read with bounds on its sizes, and nothing in it is executed. `h5py` (the extra
`keras`) is needed for this package; `onnx` (the extra `onnx`) for `seqclass.interop.onnx_export` alone, which therefore is
imported by itself, as `seqclass.interop.torch_export` is.
"""

from seqclass.interop.checkpoints import save_classifier
from seqclass.interop.keras_export import export_keras
from seqclass.interop.keras_import import ImportReport, import_keras

__all__ = ["ImportReport", "export_keras", "import_keras", "save_classifier"]
