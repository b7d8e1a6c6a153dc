"""Classifiers as ONNX models; needs `onnx`, the extra of that name."""

from seqclass.interop.onnx.exporting import export_onnx

__all__ = ["export_onnx"]
