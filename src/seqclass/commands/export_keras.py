"""`seqclass export-keras CKPT --out FILE`."""

from collections.abc import Sequence

from seqclass.classifier import TextClassifier
from seqclass.commands.options import new_parser, parse
from seqclass.files import check_not_source
from seqclass.interop import export_keras


def run(arguments: Sequence[str]) -> None:
    parser = new_parser("export-keras", "Write a checkpoint's model as Keras 3 or Keras 1 has it.")
    parser.add_argument("checkpoint", type=str, help="the checkpoint")
    parser.add_function_arguments(export_keras, skip={"classifier"})
    options = parse(parser, arguments).as_dict()
    checkpoint = options.pop("checkpoint")
    check_not_source(options["out"], [checkpoint], option="--out")
    classifier = TextClassifier.load(checkpoint)
    for line in export_keras(classifier, **options):
        print(f"note: {line}")
    print(f"The Keras {options['keras']} file is {options['out']}")
