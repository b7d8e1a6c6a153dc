"""From a stack's options to its layers."""

from typing import TYPE_CHECKING

from torch import nn

from seqclass.checks import check_positive, check_whole
from seqclass.models.blend import Blend
from seqclass.models.recurrent import build_recurrent
from seqclass.models.stack import Stack
from seqclass.nn import (
    AffixEmbedding,
    Convolution,
    Dropout,
    Embedding,
    GlobalPooling,
    MaxPooling,
    NGrams,
    ParallelConvolutions,
    TokenDropout,
)
from seqclass.nn.initializers import initialize_conv1d, initialize_linear

if TYPE_CHECKING:
    from seqclass.models.options import StackOptions


def build_layers(options: "StackOptions", *, dropout_in_gates: bool) -> Stack:
    """Build them, in an order that gives a seed the same initial values for as long as the options are the same.

    Args:
        options: what is None leaves its layer out.
        dropout_in_gates: whether `dropout` acts on the inputs of the gates, not between the layers.

    Raises:
        ValueError: a value outside its range.
    """
    dropout = options.dropout or 0.0
    between = options.dropout is not None and not dropout_in_gates
    initializer = options.initializer
    convolution = _convolution(options)
    max_pooling = None if options.pool_size is None else MaxPooling(check_positive("pool_size", options.pool_size))
    embedding = _embedding(options)
    recurrent = build_recurrent(
        options.embedding_dim if convolution is None else convolution.out_channels,
        options.hidden_size,
        cell=options.cell,
        num_layers=options.num_layers,
        bidirectional=options.bidirectional,
        dropout=dropout if dropout_in_gates else 0.0,
        recurrent_dropout=options.recurrent_dropout or 0.0,
        dropout_between=dropout if between else 0.0,
        initializer=initializer,
        recurrent_activation=options.recurrent_activation,
        kernel=options.kernel,
    )
    pooling = None if options.pooling == "last" else GlobalPooling(options.pooling)
    output = _output(recurrent.output_size * (2 if options.pooling == "max_mean" else 1), options)
    ngrams = _ngrams(options, output.out_features)
    return Stack(
        embedding=embedding,
        embedded_dropout=Dropout(dropout) if between else None,
        convolution=convolution,
        max_pooling=max_pooling,
        recurrent=recurrent,
        pooling=pooling,
        output_dropout=_output_dropout(options, dropout if between else None),
        output=output,
        token_dropout=TokenDropout(options.token_dropout) if options.token_dropout else None,
        segment_length=None if not options.segment_length else check_positive("segment_length", options.segment_length),
        ngrams=ngrams,
        blend=None if ngrams is None else Blend(single_label=not options.multi_label),
        mask_padding=bool(options.mask_padding),
    )


def _output_dropout(options: "StackOptions", otherwise: float | None) -> Dropout | None:
    if options.output_dropout is None:
        return None if otherwise is None else Dropout(otherwise)
    return Dropout(options.output_dropout) if options.output_dropout else None


def _ngrams(options: "StackOptions", outputs: int) -> NGrams | None:
    if not options.ngrams or options.ngram_buckets is None:
        return None
    return NGrams(outputs, max_length=options.ngrams, buckets=options.ngram_buckets)


def _embedding(options: "StackOptions") -> Embedding | AffixEmbedding:
    sizes, dropout = (options.num_embeddings, options.embedding_dim), options.word_dropout or 0.0
    if options.affix_buckets:
        buckets = options.affix_buckets
        return AffixEmbedding(*sizes, buckets=buckets, dropout=dropout)
    return Embedding(*sizes, dropout=dropout, initializer=options.initializer)


def _convolution(options: "StackOptions") -> Convolution | ParallelConvolutions | None:
    if options.channels is None or options.kernel_size is None:
        return None
    check_positive("embedding_dim", options.embedding_dim)
    check_positive("channels", options.channels)
    sizes = [options.kernel_size] if isinstance(options.kernel_size, int) else options.kernel_size
    if not sizes:
        raise ValueError("kernel_size is []; allowed are one length, or several")
    for size in sizes:
        check_positive("kernel_size", size)
    if len(sizes) == 1:
        single = Convolution(options.embedding_dim, options.channels, sizes[0])
        initialize_conv1d(single, options.initializer)
        return single
    several = ParallelConvolutions(options.embedding_dim, options.channels, sizes)
    for layer in several.layers:
        initialize_conv1d(layer, options.initializer)
    return several


def _output(input_size: int, options: "StackOptions") -> nn.Linear:
    classes = options.num_classes
    check_whole("num_classes", classes, least=2)
    layer = nn.Linear(input_size, 1 if classes == 2 and not options.multi_label else classes)
    initialize_linear(layer, options.initializer)
    return layer
