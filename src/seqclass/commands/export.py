"""`seqclass export CKPT --format onnx|torch-export --out FILE`."""

from collections.abc import Sequence
from typing import Literal

from seqclass.classifier import TextClassifier
from seqclass.commands.options import new_parser, parse
from seqclass.files import check_not_source


def run(arguments: Sequence[str]) -> None:
    parser = new_parser("export", "Write a checkpoint's model for other programs, with its vocabulary and labels.")
    parser.add_argument("checkpoint", type=str, help="the checkpoint")
    parser.add_argument("--format", type=Literal["onnx", "torch-export"], required=True, help="see docs/export.md")
    parser.add_argument("--out", type=str, required=True, help="the file to write")
    options = parse(parser, arguments)

    check_not_source(options.out, [options.checkpoint], option="--out")
    classifier = TextClassifier.load(options.checkpoint)
    if options.format == "onnx":
        from seqclass.interop.onnx import export_onnx

        export_onnx(classifier, options.out)
    else:
        from seqclass.interop.torch_export import export_torch

        export_torch(classifier, options.out)
    print(f"The model is {options.out}; vocabulary and labels are in it")
