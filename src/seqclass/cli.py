"""The command line: `seqclass fit|validate|test|predict` is the Lightning CLI, the others are in `seqclass.commands`.

Heavy modules are imported where they are used, so that `seqclass --help` answers at once.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from seqclass import __version__
from seqclass.errors import InputError, Interrupted
from seqclass.standard_output import discard_output, escape_unprintable_output, flush_output, output_failure

_HELP = """\
usage: seqclass COMMAND ...

  fit --config FILE                       train; any value of the file can be overridden: --model.hidden_size 64
  validate --config FILE --ckpt_path CKPT
  test --config FILE --ckpt_path CKPT     measure a checkpoint on the validation or test texts
  predict --config FILE --ckpt_path CKPT  write label and probability of each test text to a CSV file

  tune --config FILE --space FILE         search for the values that make a recipe best
  pretrain --data.train TEXTS --out FILE  word vectors from texts without labels, for fit --model.pretrained
  inspect DATA                            summarise your own labelled texts before training
  classify CKPT [TEXT ...]                label and probability of texts, of standard input's lines, or of a file's
  evaluate CKPT                           metrics, predictions and a report, on the IMDB test reviews or --data PATH
  compare CKPT CKPT ...                   several side by side, with a paired test
  serve CKPT                              answer texts over HTTP, and on a page to try them

  import-keras FILE --out CKPT            a checkpoint from a file of Keras 1, 2 or 3
  export-keras CKPT --out FILE            the other way, to Keras 3 or 1
  export CKPT --format onnx --out FILE    for other programs: onnx or torch-export

Each command explains its options: seqclass COMMAND --help. Every run gets a folder of its own below runs/.
"""

_LIGHTNING = ("fit", "validate", "test", "predict")
_OTHERS = (
    *("tune", "pretrain", "inspect", "classify", "evaluate", "compare", "serve"),
    *("import-keras", "export-keras", "export"),
)
_COMMANDS = (*_LIGHTNING, *_OTHERS)
# What each extra brings, for the message where it is missing.
_EXTRAS = {
    **{"sklearn": "evaluate", "scipy": "evaluate", "jinja2": "evaluate"},
    **{"litserve": "serve", "fastapi": "serve", "pydantic": "serve", "optuna": "tune"},
    **{"onnx": "onnx", "pyarrow": "parquet", "tensorboard": "tensorboard"},
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: what follows the program's name; None takes the process's.

    Returns:
        The exit status: 0; 2 for wrong input or what cannot be written, which is then explained in one message on
        standard error; 130 after Ctrl-C, and 143 after SIGTERM.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    escape_unprintable_output()
    try:
        try:
            _run(arguments)
        finally:
            flush_output()  # here its failure can be explained, at the interpreter's end it could not
    except InputError as error:
        print(f"seqclass: error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        # Lightning says it in its own words, and names no module.
        package = (error.name or ("tensorboard" if "tensorboard" in str(error) else "")).partition(".")[0]
        extra = _EXTRAS.get(package)
        if extra is None:
            raise
        missing = f"{arguments[0]} needs {package}, which is not installed: pip install 'seqclass[{extra}]'"
        print(f"seqclass: error: {missing}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader has closed the pipe, as in `seqclass classify ... | head`.
        discard_output()
        return 0
    except OSError:
        reason = output_failure()
        if reason is None:
            raise
        discard_output()
        print(f"seqclass: error: cannot write to standard output: {reason}", file=sys.stderr)
        return 2
    except Interrupted as interrupted:
        said = f"stopped by {interrupted.signal.name}"
        print(f"\nseqclass: {said}{': ' if str(interrupted) else ''}{interrupted}", file=sys.stderr)
        return interrupted.status
    except KeyboardInterrupt:
        print("\nseqclass: interrupted", file=sys.stderr)
        return 130
    return 0


def _run(arguments: list[str]) -> None:
    if arguments and arguments[0] in _COMMANDS and arguments[0] != "serve":
        from seqclass.freed_memory import keep_freed_memory

        keep_freed_memory()  # a server has to give back what a burst of requests took
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_HELP, end="")
    elif arguments[0] == "--version":
        print(__version__)
    elif arguments[0] in _OTHERS:
        import_module(f"seqclass.commands.{arguments[0].replace('-', '_')}").run(arguments[1:])
    elif arguments[0] in _LIGHTNING and {"-h", "--help"}.intersection(arguments):
        from seqclass.commands.training_help import HELP

        print(HELP[arguments[0]], end="")
    elif arguments[0] in _LIGHTNING:
        if "--help_all" in arguments:
            arguments = [arguments[0], "--help"]
        if "lightning" not in sys.modules:  # which takes seconds, in which nothing else would be said
            print("Loading PyTorch and Lightning", file=sys.stderr)
        from seqclass.nn.kernels.compiled.library import load_in_background

        load_in_background()  # where the kernel has to be compiled first, that takes as long as importing Lightning
        from seqclass.training.lightning_cli import run_lightning_cli

        run_lightning_cli(arguments)
    else:
        raise InputError(f"unknown command {arguments[0]!r}; the commands are {', '.join(_COMMANDS)}")
