"""A plain chain of layers, as imported models have them: it classifies and exports, and no recipe trains it."""

from seqclass.models.chain.chain import Branches, Chain
from seqclass.models.chain.layer import ChainLayer, Form, Signal
from seqclass.models.chain.options import ChainOptions
from seqclass.models.chain.plain_cells import PlainRecurrent
from seqclass.models.chain.pointwise import (
    ACTIVATIONS,
    ActivationLayer,
    DenseLayer,
    DropoutLayer,
    EmbeddingLayer,
    FlattenLayer,
    MaskingLayer,
    NormalizationLayer,
)
from seqclass.models.chain.recurrent import BidirectionalLayer, RecurrentChainLayer
from seqclass.models.chain.windows import ConvolutionLayer, GlobalPoolingLayer, WindowPoolingLayer

__all__ = [
    "ACTIVATIONS",
    "ActivationLayer",
    "BidirectionalLayer",
    "Branches",
    "Chain",
    "ChainLayer",
    "ChainOptions",
    "ConvolutionLayer",
    "DenseLayer",
    "DropoutLayer",
    "EmbeddingLayer",
    "FlattenLayer",
    "Form",
    "GlobalPoolingLayer",
    "MaskingLayer",
    "NormalizationLayer",
    "PlainRecurrent",
    "RecurrentChainLayer",
    "Signal",
    "WindowPoolingLayer",
]
