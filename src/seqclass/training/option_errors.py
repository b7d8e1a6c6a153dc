"""Errors about options in one sentence, with the option that was probably meant."""

import difflib
import inspect
import re
from collections.abc import Iterable
from importlib import import_module

from lightning.pytorch.cli import LightningArgumentParser

_OWN_TEXTS = "seqclass.data.TextDataModule"


def explained(message: str, parser: LightningArgumentParser | None) -> str:
    """Rewrite what jsonargparse says of an option; what is not recognised stays as it is.

    Args:
        message: of its error.
        parser: of the subcommand, which knows the options; None if the error is about the subcommand itself.
    """
    known = set() if parser is None else _options_of(parser)
    if unrecognized := re.search(r"[Uu]nrecognized arguments: (.*)", message):
        names = [word.lstrip("-").partition("=")[0] for word in unrecognized[1].split() if word.startswith("--")]
        return f"{unrecognized[0]}{_suggestion(names, known)}"
    if unknown := re.search(r"does not accept option '([\w.]+)'", message):
        return f"there is no option {unknown[1]}{_suggestion([unknown[1]], known)}"
    keys = re.findall(r'Parser key "([\w.]+)":', message)
    if not keys:
        return message
    wrong = re.search(r"Option '([\w.]+)' is not accepted", message)
    owner = re.search(r"class_path[ =]'([\w.]+)'", message)
    if wrong and owner:
        return _not_accepted(keys[0], wrong[1], owner[1])
    if missing := re.search(r"module '([\w.]+)' has no attribute '(\w+)'", message):
        module = import_module(missing[1])
        likely = difflib.get_close_matches(missing[2], getattr(module, "__all__", dir(module)), n=1, cutoff=0.7)
        return f"{keys[0]}: {missing[1]} has no {missing[2]}{f'; did you mean {likely[0]}?' if likely else ''}"
    return _wrong_value(".".join(keys), message)


def _options_of(parser: LightningArgumentParser) -> set[str]:
    given = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
    return {option[2:] for option in given if not option.endswith(("+", ".help"))}


def _suggestion(names: Iterable[str], known: set[str]) -> str:
    likely = []
    for name in names:
        group, _, last = name.rpartition(".")
        beside = {option.rpartition(".")[2]: option for option in known if option.rpartition(".")[0] == group}
        close = [beside[match] for match in difflib.get_close_matches(last, beside, n=1, cutoff=0.7)]
        likely += close or difflib.get_close_matches(name, known, n=1, cutoff=0.85)
    return f"; did you mean {' and '.join(f'--{name}' for name in likely)}?" if likely else ""


def _not_accepted(key: str, option: str, owner: str) -> str:
    """Say that a class has no such option, and which it has."""
    suggestion = _suggestion([f"{key}.{option}"], {f"{key}.{name}" for name in _parameters(owner)})
    if key == "data" and owner != _OWN_TEXTS and option in _parameters(_OWN_TEXTS):
        suggestion = "; TextDataModule has it: for your own texts, leave --config out or give configs/text.yaml"
    return f"{owner.rpartition('.')[2]} has no option {key}.{option}{suggestion}"


def _parameters(path: str) -> set[str]:
    """Return the keyword arguments of a class, and of those it hands `**options` on to."""
    module, _, name = path.rpartition(".")
    found = getattr(import_module(module), name)  # jsonargparse has imported it already
    makers = [vars(part).get("__init__") for part in found.__mro__] if isinstance(found, type) else [found]
    names = {name for maker in makers if callable(maker) for name in inspect.signature(maker).parameters}
    return names - {"self", "args", "kwargs", "options"}


def _wrong_value(key: str, message: str) -> str:
    """Say what an option was given, and what it takes, of which jsonargparse fills a page."""
    value = re.search(r"Given value: (?!NestedArg|Namespace|\{)(.*)", message) or re.search(r"Got value: (.*)", message)
    types = re.findall(r"Expected an? ([^\n]+?)(?:\. Got value|\n|$)", message)
    allowed = {kind.removeprefix("<class '").removesuffix("'>").removeprefix("typing.") for kind in types}
    if "Expected a dot import path" in message:
        allowed = {"the import path of a class"}
    allowed -= {"NoneType"}
    if value is None or not allowed:
        return message
    kinds = " or ".join(sorted(re.sub(r"^Literal\[(.*)\]$", r"\1", kind) for kind in allowed))
    return f"{key} is {value[1]:.200}; allowed is {kinds}"
