"""The layers, in plain PyTorch: no Lightning, no text."""

from seqclass.nn.convolution import Convolution, MaxPooling
from seqclass.nn.denormals import flush_denormals
from seqclass.nn.dropout import Dropout
from seqclass.nn.embedding import Embedding
from seqclass.nn.initializers import INITIALIZERS, Initializer
from seqclass.nn.lstm import LSTM
from seqclass.nn.lstm_kernels import KERNELS, RECURRENT_ACTIVATIONS, Kernel, RecurrentActivation
from seqclass.nn.shared_padding import LeadingPadding

__all__ = [
    "INITIALIZERS",
    "KERNELS",
    "LSTM",
    "RECURRENT_ACTIVATIONS",
    "Convolution",
    "Dropout",
    "Embedding",
    "Initializer",
    "Kernel",
    "LeadingPadding",
    "MaxPooling",
    "RecurrentActivation",
    "flush_denormals",
]
