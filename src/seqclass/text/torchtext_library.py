"""The one place where torchtext is imported, when something of it is asked for.

Its last release, 0.18 (April 2024), is compiled against PyTorch 2.3; beside any other its import fails on an undefined
symbol. Its data sets also need torchdata before 0.10, which dropped what they are built from, and portalocker.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, metadata
from typing import Any

from seqclass.errors import InputError

_WAY_OUT = (
    "torchtext's last release, 0.18, loads beside PyTorch 2.3 only; pip install 'seqclass[torchtext]' installs the "
    "pair, best in an environment of its own"
)


def import_torchtext(module: str) -> Any:
    """Import `torchtext.MODULE`.

    Raises:
        InputError: if torchtext is not installed, or does not load beside this PyTorch; it names the command that
            installs what works.
    """
    with torchtext_calls():
        try:
            return import_module(f"torchtext.{module}")
        except ModuleNotFoundError:
            raise
        except (ImportError, OSError) as error:  # an undefined symbol, a library that is not there
            versions = f"torchtext {_version('torchtext')} does not load beside PyTorch {_version('torch')}"
            raise InputError(f"{versions} ({error!s:.200}): {_WAY_OUT}") from error


@contextmanager
def torchtext_calls() -> Iterator[None]:
    """Within the block, a package that torchtext lacks is an InputError, and its farewell is not shown.

    torchtext imports some of what it needs only when it is called, so that its calls belong into the block.
    """
    with warnings.catch_warnings():
        # torchtext and torchdata announce that they are no longer developed.
        warnings.filterwarnings("ignore", message=r"\s*/!\\ IMPORTANT WARNING ABOUT TORCHTEXT")
        warnings.filterwarnings("ignore", message=r"\s*#+\s*WARNING!\s*The 'datapipes'")
        try:
            yield
        except ModuleNotFoundError as error:
            raise InputError(f"this needs {error.name or error}, which is not installed: {_WAY_OUT}") from error


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "of unknown version"
