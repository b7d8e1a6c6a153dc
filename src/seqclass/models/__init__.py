"""The stacks: one list of options, the named stacks as presets of it, and the layers they build from `seqclass.nn`."""

from seqclass.models.chain import Chain, ChainOptions
from seqclass.models.options import POOLINGS, Pooling, StackOptions, build_stack, options_from
from seqclass.models.presets import NOTEBOOK_STACKS, PRESETS, STACK_NAMES, Preset, StackName
from seqclass.models.recurrent import CELLS, Cell
from seqclass.models.stack import Stack

__all__ = [
    "CELLS",
    "NOTEBOOK_STACKS",
    "POOLINGS",
    "PRESETS",
    "STACK_NAMES",
    "Cell",
    "Chain",
    "ChainOptions",
    "Pooling",
    "Preset",
    "Stack",
    "StackName",
    "StackOptions",
    "build_stack",
    "options_from",
]
