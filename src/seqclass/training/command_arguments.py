"""The arguments of a training command, made ready for Lightning's parser."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from seqclass.errors import InputError

TEXT_RECIPE = Path(__file__).parent / "text_recipe.yaml"
"""`configs/text.yaml`, as part of the package."""

_CONFIG = ("--config", "-c")
_CHECKPOINTS = (".ckpt", ".safetensors", ".pt", ".pth")
_MAX_BYTES = 1 << 20  # of a config


def prepare_arguments(arguments: Sequence[str]) -> tuple[list[str], str | None]:
    """Put the configs first, so that the other options win in any order, and add the default one if there is none.

    Args:
        arguments: of a training command, its name included.

    Returns:
        The arguments for the parser, and a sentence on what was added to them; None if nothing was.

    Raises:
        InputError: a config is not one, or there is nothing to train on.
    """
    configs, others, read = [], [], False
    for argument in arguments[1:]:
        name, equals, value = argument.partition("=")
        if read:
            configs.append(argument)
            read = False
        elif name in _CONFIG and equals:
            configs.append(value)
        elif name in _CONFIG:
            read = True
        else:
            others.append(argument)
    if read:
        raise InputError(f"--config needs the path of a config: seqclass {arguments[0]} --config configs/text.yaml")
    for path in configs:
        check_config(path)
    added = None
    if not configs and not _names(others, "data"):
        if not any(argument.startswith("--data.") for argument in others):
            raise InputError(
                f"seqclass {arguments[0]} needs data: --data.train FILE reads your own labelled texts, and --config "
                f"FILE a recipe, such as configs/lstm.yaml; see seqclass {arguments[0]} --help"
            )
        configs = [str(TEXT_RECIPE)]
        added = f"No --config: using the recipe for your own texts, {TEXT_RECIPE}"
    return [arguments[0], *(word for path in configs for word in ("--config", path)), *others], added


def _names(arguments: Sequence[str], option: str) -> bool:
    return any(argument.partition("=")[0] == f"--{option}" for argument in arguments)


def given_options(arguments: Sequence[str], group: str) -> set[str]:
    """Return the names of the options of a group that are among the arguments: "stack" for `--model.stack lstm`."""
    prefix = f"--{group}."
    return {argument.partition("=")[0][len(prefix) :] for argument in arguments if argument.startswith(prefix)}


def check_config(path: str) -> None:
    """Refuse a file that is not a config, before the parser shows all of it.

    Raises:
        InputError: it is missing, something else, or not YAML.
    """
    file = Path(path)
    if file.suffix in _CHECKPOINTS:
        raise InputError(f"{path} is a checkpoint, not a config: --ckpt_path takes it, beside --config and the recipe")
    try:
        with file.open("rb") as opened:
            content = opened.read(_MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read the config {path}: {error.strerror}") from error
    allowed = "allowed is YAML with entries such as `trainer: {max_epochs: 3}`; see configs/"
    if len(content) > _MAX_BYTES or b"\0" in content:
        raise InputError(f"{path} is not a config, but some other file; {allowed}")
    try:
        found = yaml.safe_load(content.decode())
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a config, but some other file; {allowed}") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not a config: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} is not a config: it holds {type(found).__name__} and no entries; {allowed}")
