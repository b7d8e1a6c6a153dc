"""The recipe for anyone's texts, `configs/text.yaml`, for those who train without a command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.resources import files
from typing import Any

import yaml

# Where the texts come from is said by whoever uses the recipe.
_OF_THE_SOURCE = ("train", "test", "test_fraction", "text_column", "label_column")


@dataclass(frozen=True)
class Recipe:
    """A recipe's values, its classes imported.

    Attributes:
        seed: of the run.
        model: options of `new_classifier`; what has parameters or an optimizer as argument still lacks it.
        data: options of `TextDataModule`, but for the source of the texts.
        trainer: options of the Trainer; callbacks are made.
        monitor: the metric whose best epoch is kept; None for the last.
        mode: whether that is its "max" or its "min".
    """

    seed: int
    model: Mapping[str, Any]
    data: Mapping[str, Any]
    trainer: Mapping[str, Any]
    monitor: str | None
    mode: str


def default_recipe() -> Recipe:
    """Read the recipe, which is part of the package."""
    text = files("seqclass.training").joinpath("text_recipe.yaml").read_text(encoding="utf-8")
    return recipe_of(yaml.safe_load(text))


def recipe_of(config: Mapping[str, Any]) -> Recipe:
    """Take a recipe from the content of one of the YAML files of `configs`."""
    data = {name: value for name, value in config["data"]["init_args"].items() if name not in _OF_THE_SOURCE}
    model = {
        name: _class(value, call=False) if isinstance(value, dict) and "class_path" in value else value
        for name, value in config["model"].items()
    }
    trainer = dict(config["trainer"])
    if "callbacks" in trainer:
        trainer["callbacks"] = [_class(value, call=True) for value in trainer["callbacks"]]
    checkpoint = config.get("checkpoint", {})
    return Recipe(
        seed=config["seed_everything"],
        model=model,
        data=data,
        trainer=trainer,
        monitor=checkpoint.get("monitor", "val_acc"),
        mode=checkpoint.get("mode", "max"),
    )


def _class(value: Mapping[str, Any], *, call: bool) -> Any:
    """Make an object from its `class_path` and `init_args`; or what makes it, once it has its other arguments."""
    module, _, name = value["class_path"].rpartition(".")
    made = partial(getattr(import_module(module), name), **value.get("init_args", {}))
    return made() if call else made
