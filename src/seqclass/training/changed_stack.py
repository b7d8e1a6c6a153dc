"""A recipe whose stack is changed on the command line, though its other options are those of its own."""

from collections.abc import Set as AbstractSet
from dataclasses import fields

from jsonargparse import Namespace

from seqclass.models import StackOptions
from seqclass.models.presets import PRESETS


def leave_out_options(model: Namespace, given: AbstractSet[str]) -> str | None:
    """Leave out the options of a recipe that the stack of the command line lacks.

    Args:
        model: the options, of recipe and command line together; changed in place.
        given: the names of those on the command line.

    Returns:
        What was left out, for the user; None if nothing was. An option of the command line stays: it is an error later.
    """
    preset = PRESETS.get(model["stack"])
    if "stack" not in given or preset is None:
        return None
    names = [field.name for field in fields(StackOptions) if field.name not in {"stack", *preset.values, *given}]
    lacking = [name for name in names if model[name] is not None]
    for name in lacking:
        model[name] = None
    return f"The stack {model['stack']} has no {', '.join(lacking)}: left out of the recipe" if lacking else None
