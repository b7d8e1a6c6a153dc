"""`seqclass export CKPT --format safetensors|onnx|torch-export --out FILE`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from seqclass.classifier import TextClassifier
from seqclass.classifier.checkpoint import SAFETENSORS
from seqclass.commands.options import new_parser, parse
from seqclass.errors import InputError
from seqclass.files import check_not_source
from seqclass.interop.model_card import write_model_card


def run(arguments: Sequence[str]) -> None:
    parser = new_parser("export", "Write a checkpoint's model for other programs, with its vocabulary and labels.")
    parser.add_argument("checkpoint", type=str, help="the trained model; no other file is needed")
    parser.add_argument(
        "--format",
        type=Literal["safetensors", "onnx", "torch-export"],
        required=True,
        help="safetensors gets a model card beside it; see docs/export.md",
    )
    parser.add_argument("--out", type=str, required=True, help="the file to write")
    options = parse(parser, arguments)

    check_not_source(options.out, [options.checkpoint], option="--out")
    classifier = TextClassifier.load(options.checkpoint)
    if options.format == "safetensors":
        _safetensors(classifier, Path(options.out))
    elif options.format == "onnx":
        from seqclass.interop.onnx import export_onnx

        export_onnx(classifier, options.out)
    else:
        from seqclass.interop.torch_export import export_torch

        export_torch(classifier, options.out)
    contents = "its vocabulary and labels are in it" if classifier.pipeline else "it has no vocabulary: it reads ids"
    print(f"The model is {options.out}; {contents}")


def _safetensors(classifier: TextClassifier, out: Path) -> None:
    if out.suffix != SAFETENSORS:
        raise InputError(f"--out {out} has to end in {SAFETENSORS}")
    classifier.save(out)
    card = out.with_suffix(".md")
    write_model_card(classifier, out, card)
    print(f"Its model card is {card}")
