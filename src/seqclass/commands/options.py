"""Parsing of a command's options."""

import inspect
import re
from argparse import ArgumentError
from collections.abc import Sequence
from typing import Any

from jsonargparse import ArgumentParser, Namespace
from jsonargparse.typing import PositiveInt

from seqclass.data.sources import Reading
from seqclass.errors import InputError


def new_parser(command: str, description: str) -> ArgumentParser:
    """Make a parser whose errors come as InputError from `parse`, not as a page of usage."""
    return ArgumentParser(prog=f"seqclass {command}", description=description, exit_on_error=False)


def parse(parser: ArgumentParser, arguments: Sequence[str]) -> Namespace:
    """Parse the options of a command.

    Raises:
        InputError: an unknown option, or a value that does not fit.
    """
    try:
        return parser.parse_args(list(map(_with_underscores, arguments)))
    except ArgumentError as error:
        raise InputError(f"{' '.join(str(error).split())} (all options: {parser.prog} --help)") from error


def add_data_options(parser: ArgumentParser) -> None:
    """Where labelled texts come from."""
    parser.add_argument(
        "--data",
        type=str | None,
        help="labelled texts: a .csv, .tsv, .jsonl, .json or .parquet file, also .gz, or a folder with "
        "one sub-folder per class; default: the IMDB test reviews",
    )
    add_reading_options(parser, skip=set())
    parser.add_argument("--batch_size", type=PositiveInt, default=250, help="texts computed at a time")


def add_reading_options(parser: ArgumentParser, *, skip: set[str]) -> None:
    """How files of texts are read, as with `--data` in `fit`; but for the options to `skip`."""
    parser.add_method_arguments(Reading, "from_options", skip=skip)


def reading_of(options: Namespace, **fixed: Any) -> Reading:
    """Return the reading that `add_reading_options` has asked for.

    Args:
        options: as parsed.
        **fixed: those that were skipped.

    Raises:
        InputError: a value that does not fit.
    """
    names = inspect.signature(Reading.from_options).parameters
    return Reading.from_options(**{name: value for name, value in options.items() if name in names}, **fixed)


def _with_underscores(argument: str) -> str:
    """`--word-index=x` is `--word_index=x`: both spellings are common."""
    if not re.match(r"--[a-z]+(-[a-z]+)+(=|$)", argument):
        return argument
    name, equals, value = argument.partition("=")
    return f"--{name[2:].replace('-', '_')}{equals}{value}"
