"""From ids to logits: the layers of a text classifier."""

import torch
from torch import nn

from seqclass.models.blend import Blend
from seqclass.nn import (
    AffixEmbedding,
    Convolution,
    Dropout,
    Embedding,
    GlobalPooling,
    LeadingPadding,
    MaxPooling,
    NGrams,
    ParallelConvolutions,
    RecurrentLayer,
    TokenDropout,
)
from seqclass.nn.segments import chop, pool_segments
from seqclass.nn.shared_padding import after_window, count_leading


class Stack(nn.Module):
    """Embedding, dropout, convolution, max pooling, LSTM or GRU, pooling, dropout, dense; what is None is left out.

    Ids of 0 are padding. As long as nothing random happens to single samples before the LSTM, the padding in front is
    the same in all rows, and the LSTM runs it once for all of them (see `seqclass.nn.shared_padding`).

    Args:
        embedding: the table.
        embedded_dropout: element-wise, on the embedded words.
        convolution: over the steps, followed by a ReLU and `max_pooling`.
        max_pooling: over the convolution's output.
        recurrent: the layer that reads the sequence, or several.
        pooling: over the states after all steps that are not padding; None takes the last state.
        output_dropout: element-wise, on the last state or the pooled ones.
        output: from there to one logit, or one for each class.
        token_dropout: replaces words by the unknown word.
        segment_length: cuts the texts into segments of so many words, which are read side by side and pooled together;
            None reads each text as one sequence.
        ngrams: a branch of its own beside all that; None for none.
        blend: weighs the two branches.
        mask_padding: padded steps leave the LSTM's state as it is, wherever they are (Keras' `mask_zero`); without
            it they are read like words, as in the notebook.

    Raises:
        ValueError: masked padding together with a convolution, which would mix padding and words; segments without
            masked padding, or without a pooling of maxima and means.
    """

    def __init__(
        self,
        *,
        embedding: Embedding | AffixEmbedding,
        embedded_dropout: Dropout | None = None,
        convolution: Convolution | ParallelConvolutions | None = None,
        max_pooling: MaxPooling | None = None,
        recurrent: RecurrentLayer,
        pooling: GlobalPooling | None = None,
        output_dropout: Dropout | None = None,
        output: nn.Linear,
        token_dropout: TokenDropout | None = None,
        segment_length: int | None = None,
        ngrams: NGrams | None = None,
        blend: Blend | None = None,
        mask_padding: bool = False,
    ) -> None:
        super().__init__()
        if segment_length is not None and (not mask_padding or pooling is None or pooling.kind != "max_mean"):
            raise ValueError(
                f"segment_length={segment_length} needs mask_padding=True and pooling='max_mean': a state knows its "
                "own segment alone"
            )
        if mask_padding and convolution is not None:
            raise ValueError("mask_padding=True does not go with a convolution: its windows mix padding and words")
        self.embedding = embedding
        self.embedded_dropout = embedded_dropout
        self.convolution = convolution
        self.max_pooling = max_pooling
        self.recurrent = recurrent
        self.pooling = pooling
        self.output_dropout = output_dropout
        self.output = output
        self.token_dropout = token_dropout
        self.segment_length = segment_length
        self.ngrams = ngrams
        self.blend = blend
        self.mask_padding = mask_padding

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Compute the logits.

        Args:
            ids: (batch, steps), int32 or int64; 0 pads.

        Returns:
            (batch,) if there is one output, else (batch, classes).
        """
        logits = self.recurrent_logits(ids)
        if self.ngrams is None or self.blend is None:
            return logits
        blended: torch.Tensor = self.blend(logits, self.ngram_logits(ids))
        return blended

    def ngram_logits(self, ids: torch.Tensor) -> torch.Tensor:
        """Compute the logits of the n-grams alone; shapes as in `forward`."""
        assert self.ngrams is not None
        return _without_single_column(self.ngrams(ids))

    def recurrent_logits(self, ids: torch.Tensor) -> torch.Tensor:
        """Compute the logits of the recurrent layers alone; shapes as in `forward`."""
        if self.token_dropout is not None:
            ids = self.token_dropout(ids)
        if self.mask_padding:
            ids = padding_first(ids)
        if self.segment_length is not None:
            segments = chop(ids, self.segment_length)
            states = self.recurrent(self._features(segments.ids), segments.padding, return_sequences=True)
            state = pool_segments(states, segments)
        elif self.pooling is not None:
            padding = self._padding(ids)
            state = self.pooling(self.recurrent(self._features(ids), padding, return_sequences=True), padding)
        else:
            state = self.recurrent(self._features(ids), self._padding(ids))
        if self.output_dropout is not None:
            state = self.output_dropout(state)
        return _without_single_column(self.output(state))

    def _features(self, ids: torch.Tensor) -> torch.Tensor:
        """Compute what the recurrent layers read, (batch, steps, features)."""
        features: torch.Tensor = self.embedding(ids)
        if self.embedded_dropout is not None:
            features = self.embedded_dropout(features)
        if self.convolution is not None:
            features = self.convolution(features).relu()
            if self.max_pooling is not None:
                features = self.max_pooling(features)
        return features

    def _padding(self, ids: torch.Tensor) -> LeadingPadding:
        """Find where the padding ends in each row of what the recurrent layers read, and how they may treat it."""
        counts = count_leading(ids)
        if self.convolution is not None:
            pool_size = 1 if self.max_pooling is None else self.max_pooling.size
            counts = after_window(counts, steps=ids.shape[1], kernel_size=self.convolution.window, pool_size=pool_size)
        shared = self.embedded_dropout is None or not self.embedded_dropout.drops
        return LeadingPadding(counts, masked=self.mask_padding, shared=shared)


def _without_single_column(logits: torch.Tensor) -> torch.Tensor:
    return logits.squeeze(1) if logits.shape[1] == 1 else logits


def padding_first(ids: torch.Tensor) -> torch.Tensor:
    """Move each row's padding to the front, and keep the order of its words: masked steps count for nothing."""
    return ids.gather(1, (ids != 0).to(torch.uint8).argsort(dim=1, stable=True))
