"""The ways in which the two programs can be launched, and which of them is taken.

What is best depends on the card, the sizes and the batch, and no rule was measured yet. So there is one to begin with
(`expected_choice`), and what was measured on a card goes before it: `tuning.py` keeps it.
"""

from dataclasses import dataclass
from typing import Literal

Precision = Literal["float32", "bfloat16"]

# The smallest tile of a tensor core. Fewer rows are multiplied number by number.
_DOT_ROWS = 16
# Up to so many units the weights of all gates fit into the registers of 8 warps beside everything else.
_KEPT_UNITS = 64


@dataclass(frozen=True)
class Choice:
    """One way to launch the programs.

    Attributes:
        rows: of the batch that a program instance takes; 16 use tensor cores.
        warps: of 32 threads, that share an instance.
        keep: whether the weights stay in registers (with tensor cores: in shared memory) over all steps, or are read
            from the caches at each.
    """

    rows: int
    warps: int
    keep: bool = False

    @property
    def dot(self) -> bool:
        """Whether products are those of tensor cores."""
        return self.rows >= _DOT_ROWS

    def instances(self, batch: int) -> int:
        """How many program instances a batch takes."""
        return -(-batch // self.rows)


def padded_units(hidden_size: int) -> int:
    """Return the power of two that a program computes with; a tensor core's tile has at least 16."""
    return max(16, 1 << (hidden_size - 1).bit_length())


def all_choices(hidden_size: int, precision: Precision) -> tuple[Choice, ...]:
    """List the choices worth a try: at 100 units they compile for sm_80 to sm_100 with few or no spilled registers.

    Not there: more rows without tensor cores and 32 warps, which spill up to 2 KB a thread; and 16 rows in float32,
    whose products are no tensor core's and spill more than 5 KB.
    """
    small = padded_units(hidden_size) <= _KEPT_UNITS
    choices = [Choice(1, 8), Choice(1, 16), Choice(2, 8), Choice(4, 8)]
    if small:
        choices += [Choice(1, 8, keep=True), Choice(2, 8, keep=True)]
    if precision == "bfloat16":
        choices += [Choice(16, 8), Choice(16, 16), Choice(16, 8, keep=True)]
    return tuple(choices)


def expected_choice(batch: int, hidden_size: int, precision: Precision, processors: int) -> Choice:
    """Return the choice to begin with: as few rows an instance as leave each a multiprocessor of its own.

    A step costs an instance the reading of all weights whatever its rows, and instances on one multiprocessor wait for
    each other.

    Args:
        batch: rows.
        hidden_size: units.
        precision: of the products.
        processors: the card's multiprocessors.
    """
    keep = padded_units(hidden_size) <= _KEPT_UNITS
    ways = [Choice(1, 8, keep), Choice(2, 8, keep), Choice(16, 16) if precision == "bfloat16" else Choice(4, 8)]
    return next((choice for choice in ways if choice.instances(batch) <= processors), ways[-1])
