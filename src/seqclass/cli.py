"""The command line: `seqclass fit|validate|test|predict` is the Lightning CLI, `seqclass classify` asks a checkpoint,
`seqclass inspect` a data set.

What is heavy is imported where it is used, so that `seqclass --help` answers at once.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from seqclass import __version__
from seqclass.errors import InputError

_HELP = """\
usage: seqclass COMMAND ...

  fit --config FILE                       train; any value of the file can be overridden: --model.hidden_size 64
  validate --config FILE --ckpt_path CKPT
  test --config FILE --ckpt_path CKPT     measure a checkpoint on the validation or test texts
  predict --config FILE --ckpt_path CKPT  write label and probability of each test text to a CSV file
  inspect DATA                            show what stands in your own labelled texts, before training
  classify CKPT [TEXT ...]                label and probability of each text, or of each line of standard input

Each command explains its options: seqclass COMMAND --help. Every run gets a folder of its own below runs/.
"""

_COMMANDS = ("fit", "validate", "test", "predict", "inspect", "classify")

# Texts from standard input are answered in batches of this size.
_CLASSIFY_BATCH = 250


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: what follows the program's name; None takes the process's.

    Returns:
        The exit status: 0, or 2 for wrong input, which is then explained in one message on standard error.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_HELP, end="")
        return 0
    if arguments[0] == "--version":
        print(__version__)
        return 0
    try:
        if arguments[0] not in _COMMANDS:
            raise InputError(f"{arguments[0]!r} is no command: it must be one of {', '.join(_COMMANDS)}")
        if arguments[0] == "classify":
            _classify(arguments[1:])
        elif arguments[0] == "inspect":
            from seqclass.training.inspect_command import run_inspect

            run_inspect(arguments[1:])
        else:
            from seqclass.training.lightning_cli import run_lightning_cli

            run_lightning_cli(arguments)
    except InputError as error:
        print(f"seqclass: error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read the answers has enough of them, as in `seqclass classify ... | head`.
        sys.stderr.close()
        return 0
    return 0


def _classify(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="seqclass classify",
        description="Print label, probability and text, separated by tabs, for each text.",
    )
    parser.add_argument("checkpoint", metavar="CKPT", help="written by `seqclass fit`; no other file is needed")
    parser.add_argument("texts", metavar="TEXT", nargs="*", help="none: each line of standard input is a text")
    options = parser.parse_args(arguments)

    from seqclass.classifier import SequenceClassifier

    classifier = SequenceClassifier.load_from_checkpoint(options.checkpoint)
    if not options.texts and sys.stdin.isatty():
        print("Reading texts from standard input, one a line; Ctrl-D ends.", file=sys.stderr)
    texts = options.texts or (line.rstrip("\n") for line in sys.stdin)
    for batch in _batches(texts, _CLASSIFY_BATCH):
        for text, result in zip(batch, classifier.classify(batch), strict=True):
            print(f"{result.label}\t{result.probability:.4f}\t{text}", flush=True)


def _batches(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    iterator = iter(texts)
    while batch := list(islice(iterator, size)):
        yield batch
