"""`seqclass import-keras FILE --out MODEL.ckpt`."""

from collections.abc import Sequence

from seqclass.commands.options import new_parser, parse
from seqclass.files import check_not_source
from seqclass.interop import import_keras
from seqclass.interop.keras import TextOptions


def run(arguments: Sequence[str]) -> None:
    parser = new_parser("import-keras", "Make a checkpoint of a file that Keras 1, 2 or 3 has written.")
    parser.add_argument("file", type=str, help="a whole model or its weights: .keras, .h5, .weights.h5")
    parser.add_argument("--out", type=str, required=True, help="the checkpoint to write")
    parser.add_argument(
        "--labels", type=str, nargs="+", help="names of the classes, in the order of the outputs: neg pos"
    )
    parser.add_function_arguments(import_keras, skip={"file", "labels", "options"})
    # The options of `Unsaid` are found by what `import_keras` does with them.
    parser.add_class_arguments(TextOptions)
    options = parse(parser, arguments).as_dict()
    out = options.pop("out")
    sources = [options[name] for name in ("file", "word_index", "vocabulary", "architecture")]
    check_not_source(out, sources, option="--out")
    classifier, report = import_keras(**options)
    classifier.save(out)
    print(report)
    print(f"The checkpoint is {out}")
