"""A text pipeline as Keras' `TextVectorization`, where it does the same."""

from seqclass.errors import InputError
from seqclass.interop.keras.model import KerasLayer
from seqclass.text import SPACE_MARK, KerasTokenizer, TextPipeline


def text_layer(pipeline: TextPipeline | None, wanted: bool | None) -> KerasLayer | None:
    """Make the layer.

    Args:
        pipeline: of the classifier.
        wanted: None for where it can be.

    Raises:
        InputError: it is wanted, and no such layer does what the pipeline does.
    """
    if wanted is False:
        return None
    reason = _refusal(pipeline)
    if reason is not None:
        if wanted:
            raise InputError(f"text=True does not fit: {reason}")
        return None
    assert pipeline is not None
    tokenizer = pipeline.tokenizer
    assert isinstance(tokenizer, KerasTokenizer)
    words = list(pipeline.vocabulary.words)
    if tokenizer.split != "whitespace" or tokenizer.ngrams is not None:
        words = [word.replace(SPACE_MARK, " ") for word in words]
    config = {
        "max_tokens": None,
        "standardize": tokenizer.standardize,
        "split": tokenizer.split,
        "ngrams": None if tokenizer.ngrams is None else list(tokenizer.ngrams),
        "output_mode": "int",
        "output_sequence_length": pipeline.maxlen,
        "pad_to_max_tokens": False,
        "sparse": False,
        "ragged": False,
        "vocabulary": words,
        "idf_weights": None,
        "encoding": "utf-8",
    }
    return KerasLayer("TextVectorization", "text_vectorization", config)


def _refusal(pipeline: TextPipeline | None) -> str | None:
    if pipeline is None:
        return "the model has no text pipeline"
    if not isinstance(pipeline.tokenizer, KerasTokenizer):
        return "its tokenizer is not that of a TextVectorization"
    vocabulary = pipeline.vocabulary
    found = (vocabulary.index_from, vocabulary.oov_char, vocabulary.start_char, vocabulary.unseen_words)
    if found != (1, 1, None, "oov") or vocabulary.options()["skip_top"] or vocabulary.options()["num_words"]:
        return "its ids are not those of a TextVectorization, with 1 for unknown words and words from 2 on"
    if (pipeline.padding, pipeline.truncating) != ("post", "post"):
        return "it pads or cuts in front"
    return None
