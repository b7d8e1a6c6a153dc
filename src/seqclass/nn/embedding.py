"""A table of word vectors, with dropout of whole words."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from seqclass.checks import check_positive, check_rate
from seqclass.nn.dropout import dropout_mask
from seqclass.nn.initializers import Initializer, initialize_embedding
from seqclass.nn.tensor_checks import has_numbers


class Embedding(nn.Module):
    """Look up one row of a table for each id; in training, `dropout` drops whole rows.

    Word dropout is that of Keras 1 (`Embedding(dropout=p)`): one draw of `num_embeddings` Bernoulli numbers for each
    batch, shared by all its samples and positions, so a dropped word is gone everywhere in that batch; the remaining
    rows are scaled by 1/(1-p). See Gal and Ghahramani, "A Theoretically Grounded Application of Dropout in Recurrent
    Neural Networks" (2016). It is not the element-wise `torch.nn.Dropout`.

    Args:
        num_embeddings: rows of the table; every id must be below it.
        embedding_dim: size of a row.
        dropout: probability of dropping a word for the duration of one batch, from 0 to 1.
        initializer: scheme of the initial values: `keras1`, `keras` or `torch`.

    Raises:
        ValueError: a size below 1, a dropout rate outside 0 to 1, or an unknown initializer.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        dropout: float = 0.0,
        initializer: Initializer = "keras1",
    ) -> None:
        super().__init__()
        self.num_embeddings = check_positive("num_embeddings", num_embeddings)
        self.embedding_dim = check_positive("embedding_dim", embedding_dim)
        self.dropout = check_rate("dropout", dropout)
        self.initializer = initializer
        self.weight = nn.Parameter(torch.empty(num_embeddings, embedding_dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Redraw the initial values."""
        initialize_embedding(self.weight, self.initializer)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Look the ids up.

        Args:
            ids: (batch, steps), int32 or int64, each from 0 to `num_embeddings` - 1.

        Returns:
            (batch, steps, embedding_dim), in the table's dtype.

        Raises:
            ValueError: ids of another shape or dtype, or on another device than the table.
            IndexError: on a CPU, an id outside the table; the message says where it is. A GPU's ids are not read, since
                the host would have to wait for them: there PyTorch's device-side assertion stops the process.
        """
        check_ids(ids, self.weight)
        table: torch.Tensor = self.weight
        if self.training and self.dropout > 0:
            # One number for each row of the table: the mask broadcasts over the row.
            table = table * dropout_mask(self.dropout, (self.num_embeddings, 1), table)
        try:
            return look_up(ids, table)
        except IndexError as error:  # PyTorch checks every id, but does not say which one is wrong
            raise id_outside(ids, self.num_embeddings) from error

    def extra_repr(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}, dropout={self.dropout}"


def look_up(ids: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """Compute `torch.nn.functional.embedding(ids, table)`; on a CPU its gradient takes half of PyTorch's time.

    Args:
        ids: of any shape, int32 or int64.
        table: (rows, features).

    Returns:
        The shape of the ids, and features.

    Raises:
        IndexError: on a CPU, an id outside the table.
    """
    if has_numbers(table) and table.requires_grad and torch.is_grad_enabled():  # a traced graph has PyTorch's
        rows: torch.Tensor = _LookUp.apply(ids, table)
        return rows
    return F.embedding(ids, table)


class _LookUp(torch.autograd.Function):
    """Adds the rows' gradients one after the other, in the order of the ids, so it gives the same in every run.

    PyTorch's own adds in the same order, but each of its threads goes through all ids for those in its own rows.
    """

    @staticmethod
    def forward(ctx: Any, ids: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(ids)
        ctx.rows = len(table)
        return F.embedding(ids, table)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[None, torch.Tensor]:
        (ids,) = ctx.saved_tensors
        of_rows = gradients[0].flatten(0, -2)
        return None, of_rows.new_zeros(ctx.rows, of_rows.shape[1]).index_add_(0, ids.flatten(), of_rows)


def check_ids(ids: torch.Tensor, table: torch.Tensor) -> None:
    """Check that ids can be looked up in a table.

    Raises:
        ValueError: they are of another shape or dtype, or on another device than the table.
    """
    if ids.dim() != 2 or ids.dtype not in (torch.int32, torch.int64) or ids.device != table.device:
        raise ValueError(
            f"ids is {tuple(ids.shape)} {ids.dtype} on {ids.device}; allowed is (batch, steps) torch.int32 or "
            f"torch.int64 on {table.device}"
        )


def id_outside(ids: torch.Tensor, num_embeddings: int) -> IndexError:
    """Make the error for the first id that a table of so many rows lacks."""
    row, step = ((ids < 0) | (ids >= num_embeddings)).nonzero()[0].tolist()
    return IndexError(
        f"ids[{row}, {step}] is {int(ids[row, step])}; allowed are 0 to {num_embeddings - 1}, the rows of the table"
    )
