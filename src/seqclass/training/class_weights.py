"""The weight of each class in the loss."""

import json
import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

from seqclass.errors import InputError
from seqclass.messages import listed

ClassWeights: TypeAlias = list[float] | dict[str, float] | Literal["balanced"] | None


def weights_in_order(
    given: ClassWeights, *, num_classes: int, label_names: Sequence[str], class_counts: Sequence[int] | None
) -> list[float] | None:
    """Return one number per class, in the order of the label names.

    Args:
        given: numbers in that order; numbers by name; "balanced" for texts / (classes * texts of the class), so that
            all classes have the same total weight; None weighs all texts the same.
        num_classes: how many numbers are needed.
        label_names: of the classes; empty if unknown.
        class_counts: training texts per class; None if unknown.

    Raises:
        InputError: too many or too few numbers, an unknown name, a class without a number, a number that is negative or
            not finite; or the counts that "balanced" needs are unknown.
    """
    if given is None:
        return None
    if given == "balanced":
        if class_counts is None:
            raise InputError("class_weights='balanced' needs a DataModule of seqclass, which counts the classes")
        return [sum(class_counts) / (num_classes * count) if count else 0.0 for count in class_counts]
    weights = _by_name(given, label_names) if isinstance(given, dict) else given
    if len(weights) != num_classes or not all(0 <= weight < math.inf for weight in weights):
        raise InputError(f"class_weights={given} does not fit: {num_classes} numbers from 0 on are needed")
    return weights


def _by_name(given: dict[str, float], label_names: Sequence[str]) -> list[float]:
    # YAML reads {1: 2.0} and {true: 2.0} as keys that are not strings.
    by_name = {key if isinstance(key, str) else json.dumps(key): weight for key, weight in given.items()}
    unknown = [name for name in by_name if name not in label_names]
    missing = [name for name in label_names if name not in by_name]
    if unknown or missing:
        wrong = f"no class is called {listed(unknown)}" if unknown else f"there is no weight for {listed(missing)}"
        bare = any(not isinstance(key, str) for key in given)
        raise InputError(
            f"class_weights={given}: {wrong}; the classes are {listed(label_names) or 'not known'}"
            f"{'. In YAML, names such as no and 1.0 need quotes' if bare else ''}"
        )
    return [by_name[name] for name in label_names]
