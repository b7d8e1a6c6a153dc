"""What a search may choose from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from seqclass.errors import InputError

_RANGE = ("low", "high", "step", "log")


@dataclass(frozen=True)
class Dimension:
    """An option of `fit` and its values: choices, or a range.

    Attributes:
        option: without its dashes.
        choices: the values; None for a range.
        low: of the range, included, as the next.
        high: whole numbers if both are.
        step: between two values; None for any.
        log: whether small values are drawn as often as large ones.
    """

    option: str
    choices: tuple[Any, ...] | None = None
    low: float = 0
    high: float = 0
    step: float | None = None
    log: bool = False

    def draw(self, trial: Any) -> str:
        """Let an Optuna trial choose a value; returns it as a command line has it."""
        if self.choices is not None:
            written = [choice if isinstance(choice, str) else json.dumps(choice) for choice in self.choices]
            return str(trial.suggest_categorical(self.option, written))
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        suggest = trial.suggest_int if whole else trial.suggest_float
        step = {} if self.step is None else {"step": self.step}
        return json.dumps(suggest(self.option, self.low, self.high, log=self.log, **step))


def read_space_file(path: str | Path) -> dict[str, Any]:
    """Read the content of a space's file, and check it; see `configs/spaces/text.yaml`.

    Raises:
        InputError: the file does not exist, or does not describe a space.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the space {path}: {error}") from error
    except yaml.YAMLError as error:
        raise InputError(f"the space {path} is not YAML: {error}") from error
    return {dimension.option: content[dimension.option] for dimension in space_of(content, str(path))}


def space_of(content: Any, source: str) -> list[Dimension]:
    """Take a space from the content of its file.

    Raises:
        InputError: it does not describe a space.
    """
    if not isinstance(content, Mapping) or not content or not all(isinstance(option, str) for option in content):
        raise InputError(f"{source} has to map options of `fit` to their values, such as model.hidden_size")
    return [_dimension(option, given, source) for option, given in content.items()]


def _dimension(option: str, given: Any, source: str) -> Dimension:
    where = f"{source}: {option}"
    if not isinstance(given, Mapping) or not (set(given) == {"choices"} or {"low", "high"} <= set(given) <= {*_RANGE}):
        raise InputError(f"{where} is {given!r:.80}; allowed are `choices`, or `low` and `high` with `step` or `log`")
    if "choices" in given:
        if not isinstance(given["choices"], list) or not given["choices"]:
            raise InputError(f"{where}: choices is {given['choices']!r:.80}; it has to be a list of values")
        return Dimension(option, choices=tuple(given["choices"]))
    numbers = [given[name] for name in ("low", "high", "step") if given.get(name) is not None]
    wrong = [number for number in numbers if isinstance(number, bool) or not isinstance(number, int | float)]
    if wrong:
        # YAML 1.1 reads 1e-3 as a text; its numbers need a dot and a sign, 1.0e-3.
        raise InputError(f"{where}: {wrong[0]!r:.80} is not a number; in YAML a small one is 0.001 or 1.0e-3")
    low, high, step, log = given["low"], given["high"], given.get("step"), given.get("log", False)
    if not low < high:
        raise InputError(f"{where}: low is {low} and high {high}; low has to be the smaller")
    if log and (step is not None or low <= 0):
        raise InputError(f"{where}: log goes without step, and with a low above 0; low is {low}, step {step}")
    if step is not None and step <= 0:
        raise InputError(f"{where}: step is {step}; allowed are numbers above 0")
    if isinstance(low, int) and isinstance(high, int) and isinstance(step, float):
        raise InputError(f"{where}: step is {step} between whole numbers; write low as {low}.0 for all numbers")
    return Dimension(option, low=low, high=high, step=step, log=bool(log))
