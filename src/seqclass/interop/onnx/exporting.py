"""A classifier as an ONNX model, built from ONNX's own operators: batch and length are free."""

import json
from pathlib import Path

import onnx
from onnx import helper

from seqclass.classifier import TextClassifier
from seqclass.files import written_whole
from seqclass.interop.chains import as_chain
from seqclass.interop.description import describe
from seqclass.interop.onnx import layers
from seqclass.interop.onnx.chain import add_chain
from seqclass.interop.onnx.graph import Graph
from seqclass.interop.portable import portable_stack
from seqclass.models import Chain, Stack
from seqclass.nn import Bidirectional, ParallelConvolutions


def export_onnx(classifier: TextClassifier, out: str | Path) -> None:
    """Write an ONNX model.

    Input `ids`, int64 (batch, steps), 0 pads; outputs `logits`, float32, (batch,) for two classes, else (batch,
    classes), and `probabilities`, (batch, classes). Labels and text pipeline are in the model's metadata, as JSON.

    Args:
        classifier: with its weights.
        out: the file.

    Raises:
        InputError: the file cannot be written, or the classifier has what ONNX is not written for.
    """
    graph = Graph()
    if isinstance(classifier.stack, Chain):
        outputs = classifier.stack.out_features
        scores = add_chain(graph, *as_chain(classifier))
    else:
        stack = portable_stack(classifier, "ONNX")
        outputs = stack.output.out_features
        output = [graph.constant(layers.array(value)) for value in (stack.output.weight, stack.output.bias)]
        scores = graph.add("Gemm", _state(graph, stack), *output, transB=1)
    if outputs == 1:
        graph.add("Squeeze", scores, graph.integers(1), output="logits")
        both = graph.add("Concat", graph.add("Neg", scores), scores, axis=1)
        graph.add("Sigmoid", both, output="probabilities")
    else:
        graph.add("Identity", scores, output="logits")
        graph.add("Sigmoid" if classifier.options.multi_label else "Softmax", scores, output="probabilities")

    model = graph.model(logits=["batch"] if outputs == 1 else ["batch", "classes"])
    helper.set_model_props(model, {"seqclass": json.dumps(describe(classifier), ensure_ascii=False)})
    onnx.checker.check_model(model, full_check=True)
    with written_whole(out) as part:
        part.write_bytes(model.SerializeToString())


def _state(graph: Graph, stack: Stack) -> str:
    """Return what the dense layer is given, from the ids."""
    ids = "ids"
    pools = stack.pooling is not None
    words: layers.Words | None = None
    if stack.mask_padding:
        ids, words = layers.words_first(graph, ids)
    elif pools or any(isinstance(layer, Bidirectional) for layer in stack.recurrent.modules()):
        window = 1 if stack.convolution is None else stack.convolution.window
        size = 1 if stack.max_pooling is None else stack.max_pooling.size
        words = layers.leading_padding(graph, ids, kernel_size=window, pool_size=size)
    sequence = graph.add("Gather", graph.constant(layers.array(stack.embedding.weight)), ids)
    if stack.convolution is not None:
        layer = stack.convolution
        convolutions = layer.layers if isinstance(layer, ParallelConvolutions) else [layer]
        pool_size = None if stack.max_pooling is None else stack.max_pooling.size
        sequence = layers.convolve(graph, convolutions, sequence, pool_size)
    state = layers.recur(graph, stack.recurrent, sequence, words, return_sequences=pools)
    if stack.pooling is not None:
        assert words is not None
        state = layers.pool(graph, stack.pooling, state, words)
    return state
