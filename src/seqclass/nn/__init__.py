"""The layers, in plain PyTorch: no Lightning, no text."""

from seqclass.nn.affix_embedding import AffixEmbedding
from seqclass.nn.bidirectional import Bidirectional
from seqclass.nn.convolution import Convolution, MaxPooling, ParallelConvolutions
from seqclass.nn.denormals import flush_denormals
from seqclass.nn.dropout import Dropout
from seqclass.nn.embedding import Embedding
from seqclass.nn.global_pooling import GlobalPooling
from seqclass.nn.gru import GRU
from seqclass.nn.initializers import INITIALIZERS, Initializer
from seqclass.nn.kernels import KERNELS, Kernel
from seqclass.nn.lstm import LSTM
from seqclass.nn.ngram_fitting import NGramFit, fit_ngrams, suggested_buckets
from seqclass.nn.ngrams import NGrams
from seqclass.nn.recurrent import RecurrentLayer
from seqclass.nn.recurrent_activations import RECURRENT_ACTIVATIONS, RecurrentActivation
from seqclass.nn.segments import Segments, chop, pool_segments
from seqclass.nn.shared_padding import LeadingPadding
from seqclass.nn.stacked import Stacked
from seqclass.nn.token_dropout import TokenDropout

__all__ = [
    "GRU",
    "INITIALIZERS",
    "KERNELS",
    "LSTM",
    "RECURRENT_ACTIVATIONS",
    "AffixEmbedding",
    "Bidirectional",
    "Convolution",
    "Dropout",
    "Embedding",
    "GlobalPooling",
    "Initializer",
    "Kernel",
    "LeadingPadding",
    "MaxPooling",
    "NGramFit",
    "NGrams",
    "ParallelConvolutions",
    "RecurrentActivation",
    "RecurrentLayer",
    "Segments",
    "Stacked",
    "TokenDropout",
    "chop",
    "fit_ngrams",
    "flush_denormals",
    "pool_segments",
    "suggested_buckets",
]
