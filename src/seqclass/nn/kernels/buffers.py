"""Memory that is reused from one training step to the next.

A pass over 500 steps keeps about 100 MB for its gradient. Freshly mapped memory of that size costs a page fault for
every 4 KB, which took as long as the arithmetic; a lease returns its memory to the pool when the graph that held it is
gone.
"""

from math import prod

import torch

# Leases held at the same time have separate pieces; more free pieces than this are released.
_MAX_FREE = 2
# Batches differ in padding: a piece slightly larger than needed fits the next batch too.
_HEADROOM = 1 / 8

# By the id of the piece. Leases end whenever garbage is collected, within any call and on any thread, so a lock could
# deadlock here: instead, each operation on the dict is atomic, and a piece belongs to the lease that pops it.
_free: dict[int, torch.Tensor] = {}


class Lease:
    """A flat piece of memory from which tensors are cut; it returns to the pool when the lease is collected.

    Only CPU memory is pooled: on a GPU PyTorch's allocator does the same.

    Args:
        numel: how many numbers the tensors take together, according to `space`.
        like: a tensor with the dtype and device of the memory.
    """

    def __init__(self, numel: int, like: torch.Tensor) -> None:
        self._flat = _take(numel, like)
        self._used = 0

    @staticmethod
    def space(*shapes: tuple[int, ...]) -> int:
        """Sum the sizes of tensors of these shapes, each rounded up to whole cache lines."""
        return sum(-(-prod(shape) // 16) * 16 for shape in shapes)

    def cut(self, *shape: int) -> torch.Tensor:
        """Cut the next tensor, of this shape and uninitialized."""
        start = self._used
        self._used += self.space(shape)
        return self._flat[start : start + prod(shape)].view(shape)

    @property
    def mark(self) -> int:
        """The position where the next tensor will be cut."""
        return self._used

    def rewind(self, mark: int = 0) -> None:
        """Go back to a mark; the tensors cut since must no longer be used."""
        self._used = mark

    def __del__(self) -> None:
        flat = getattr(self, "_flat", None)
        if flat is not None and flat.device.type == "cpu" and len(_free) < _MAX_FREE:
            _free[id(flat)] = flat


def _take(numel: int, like: torch.Tensor) -> torch.Tensor:
    """Take the smallest free piece that is large enough, or a new one."""
    if like.device.type != "cpu":
        return torch.empty(numel, dtype=like.dtype, device=like.device)
    free = sorted((flat.numel(), key) for key, flat in list(_free.items()) if flat.dtype == like.dtype)
    for size, key in free:
        flat = _free.pop(key, None) if size >= numel else None
        if flat is not None:
            return flat
    if free and len(_free) >= _MAX_FREE:
        # The new piece is larger than every free one, and replaces the largest of them.
        _free.pop(free[-1][1], None)
    # A later training step could not write to a piece made in inference mode.
    with torch.inference_mode(False):
        return torch.empty(numel + int(numel * _HEADROOM), dtype=like.dtype)
