"""How texts become ids: from a text layer of the model, or from a word index beside it."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, NoReturn

from seqclass.errors import InputError
from seqclass.interop.keras.describing import TEXT_LAYERS
from seqclass.interop.keras.model import KerasLayer, KerasModel, leaves
from seqclass.text import KERAS_FILTERS, SPACE_MARK, KerasTokenizer, TextPipeline, Tokenizer, Vocabulary

_NOTEBOOK_LENGTH = 500
_UNKNOWN = "[UNK]"
_OF_A_WORD_INDEX = ("index_from", "start_char", "oov_char", "num_words")


@dataclass(frozen=True, kw_only=True)
class TextOptions:
    """How texts become ids, where the model has no layer for it.

    Args:
        word_index: a JSON file of words and ranks: `imdb.get_word_index()`'s, or a `Tokenizer`'s `word_index`.
        word_index_kind: `imdb`: ids as `imdb.load_data` gives them, rank + 3 behind a start mark, 2 for other words;
            `tokenizer`: ids as `Tokenizer.texts_to_sequences` gives them, the rank, other words left out or the
            `oov_token`. None: `tokenizer` if the file has an `<OOV>` or the like at rank 1, else `imdb`.
        index_from: what is added to a word's rank; None for the kind's.
        start_char: the id before every text; -1 for none; None for the kind's.
        oov_char: the id of words outside the limit; -1 to leave them out; None for the kind's.
        num_words: ids from here on are not words; None for the rows of the embedding.
        vocabulary: for a model whose text layer has lost its vocabulary: a text file, a line for each item of its
            `get_vocabulary()`.
        maxlen: length to which texts are cut or padded; None for the model's own, else 500.
        padding: the side that is padded, `pre` or `post`; None for the kind's, or the layer's.
        truncating: the side that is cut, likewise.
    """

    word_index: str | None = None
    word_index_kind: Literal["imdb", "tokenizer"] | None = None
    index_from: int | None = None
    start_char: int | None = None
    oov_char: int | None = None
    num_words: int | None = None
    vocabulary: str | None = None
    maxlen: int | None = None
    padding: Literal["pre", "post"] | None = None
    truncating: Literal["pre", "post"] | None = None


def text_pipeline(
    model: KerasModel, options: TextOptions, num_embeddings: int
) -> tuple[TextPipeline | None, list[str]]:
    """Make the pipeline of a model, if there is one, and say what was assumed about it, or why there is none.

    Raises:
        InputError: a text layer does what no pipeline does, or options do not fit.
    """
    found = [layer for layer in leaves(model.layers) if layer.kind in TEXT_LAYERS]
    if len(found) > 1 or (found and model.layers[0] is not found[0]):
        raise InputError(f"{model.source}: a text layer can be the first layer alone")
    if found:
        return _of_layer(model, found[0], options)
    if options.vocabulary is not None:
        raise InputError(f"vocabulary={options.vocabulary!r} does not fit: {model.source} has no text layer")
    if options.word_index is not None:
        return _of_word_index(model, options, options.word_index, num_embeddings)
    for name in (field.name for field in fields(options)):
        if getattr(options, name) is not None:
            raise InputError(f"{name}={getattr(options, name)!r} goes with word_index, which is not given")
    return None, ["the file has no vocabulary: the model reads ids (--word_index FILE otherwise)"]


# Text layers.


def _of_layer(model: KerasModel, layer: KerasLayer, options: TextOptions) -> tuple[TextPipeline | None, list[str]]:
    for name in ("word_index", "word_index_kind", *_OF_A_WORD_INDEX):
        if getattr(options, name) is not None:
            raise InputError(
                f"{name}={getattr(options, name)!r} does not fit: {model.source} has a text layer of its own"
            )
    config = layer.config
    for setting, allowed in (("output_mode", "int"), ("ragged", False), ("invert", False)):
        if config.get(setting, allowed) != allowed:
            _refuse(model, layer, f"{setting} is {config[setting]!r:.80}, and here always {allowed!r}")
    words = _vocabulary_of(model, layer, options)
    if words is None:
        unsaid = (
            f"the file has lost the vocabulary of {layer.name!r}: the model reads ids (--vocabulary FILE otherwise)"
        )
        return None, [unsaid]
    assumed: list[str] = []
    if layer.kind == "TextVectorization":
        tokenizer = _tokenizer(model, layer)
        index_from, oov = 1, 1
        length = config.get("output_sequence_length")
    else:
        tokenizer = KerasTokenizer(standardize=None, split="whitespace")
        assumed.append("how texts become words, taken as split at white space: the model itself reads words")
        if config.get("num_oov_indices", 1) != 1:
            _refuse(model, layer, f"num_oov_indices is {config['num_oov_indices']!r}, and here always 1")
        masked = config.get("mask_token") is not None
        index_from = oov = 1 if masked else 0
        length = model.input_length
    if options.maxlen is not None:
        length = options.maxlen
    elif length is None:
        assumed.append("length of texts: as long as the longest of a batch, as in Keras (--maxlen otherwise)")
    special = [config.get("mask_token", ""), config.get("oov_token", _UNKNOWN)]
    special = [token for token in special if token is not None]
    while words and special and words[0] == special[0]:
        del words[0], special[0]
    vocabulary = Vocabulary(
        tuple(word.replace(" ", SPACE_MARK) for word in words),
        index_from=index_from,
        start_char=None,
        oov_char=oov,
        unseen_words="oov",
    )
    pipeline = TextPipeline(
        tokenizer=tokenizer,
        vocabulary=vocabulary,
        maxlen=length,
        padding=options.padding or "post",
        truncating=options.truncating or "post",
    )
    return pipeline, assumed


def _tokenizer(model: KerasModel, layer: KerasLayer) -> KerasTokenizer:
    config = layer.config
    standardize, split = config.get("standardize"), config.get("split")
    for name, value in (("standardize", standardize), ("split", split)):
        if value is not None and not isinstance(value, str):
            _refuse(model, layer, f"{name} is a function of its own, which is code and never run")
    if str(config.get("encoding", "utf-8")).lower() not in ("utf-8", "utf8"):
        _refuse(model, layer, f"encoding is {config['encoding']!r:.80}, and here always utf-8")
    ngrams = config.get("ngrams")
    if isinstance(ngrams, int):
        ngrams = range(1, ngrams + 1)
    try:
        sizes = None if ngrams is None else tuple(ngrams)
        return KerasTokenizer(standardize=standardize, split=split, ngrams=sizes)
    except (InputError, TypeError) as error:
        _refuse(model, layer, str(error))


def _vocabulary_of(model: KerasModel, layer: KerasLayer, options: TextOptions) -> list[str] | None:
    """Return the tokens in the order of their ids; those for padding and unknown words may be in front."""
    stated = layer.config.get("vocabulary")
    if isinstance(stated, dict):
        stated = stated.get("config", {}).get("value", stated.get("value"))
    if isinstance(stated, str):
        _refuse(model, layer, f"its vocabulary is in another file, {stated!r:.80}")
    lines: list[Any] | None = stated if isinstance(stated, list) else layer.vocabulary
    if lines is None and options.vocabulary is not None:
        try:
            lines = Path(options.vocabulary).read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read the vocabulary {options.vocabulary}: {error}") from error
    elif options.vocabulary is not None:
        raise InputError(f"vocabulary={options.vocabulary!r} does not fit: {model.source} has its own")
    if lines is None:
        return None
    return _tokens([str(line) for line in lines])


def _tokens(lines: list[str]) -> list[str]:
    """Lines of a vocabulary as tokens: the token of a line break, among characters, has made two empty lines."""
    tokens = lines[:1]
    place = 1
    while place < len(lines):
        is_break = lines[place] == "" and lines[place + 1 : place + 2] == [""]
        tokens.append("\n" if is_break else lines[place])
        place += 2 if is_break else 1
    return tokens[:-1] if len(tokens) > 1 and tokens[-1] == "" else tokens


def _refuse(model: KerasModel, layer: KerasLayer, reason: str) -> NoReturn:
    raise InputError(f"{model.source}: layer {layer.name!r:.80} ({layer.kind}) cannot be represented: {reason}")


# Word indices.


def _of_word_index(
    model: KerasModel, options: TextOptions, path: str, num_embeddings: int
) -> tuple[TextPipeline, list[str]]:
    index, settings = _read_index(path)
    first = next((word for word, rank in index.items() if rank == 1), "")
    marked = _is_mark(first)
    seems_tokenizer = marked or settings is not None or options.index_from == 0
    kind = options.word_index_kind or ("tokenizer" if seems_tokenizer else "imdb")
    of_tokenizer = kind == "tokenizer"
    usual: dict[str, int | None] = (
        {"index_from": 0, "start_char": None, "oov_char": 1 if marked else None}
        if of_tokenizer
        else {"index_from": 3, "start_char": 1, "oov_char": 2}
    )
    values: dict[str, Any] = {}
    for name, value in usual.items():
        given = getattr(options, name)
        values[name] = value if given is None else None if given < 0 else given
    settings = settings or {}
    num_words = options.num_words or settings.get("num_words") or num_embeddings
    unseen: Any = "oov" if of_tokenizer and values["oov_char"] is not None else "skip"
    try:
        vocabulary = Vocabulary.from_ranks(index, num_words=num_words, unseen_words=unseen, **values)
    except InputError as error:
        raise InputError(f"word index {path}: {error}") from error
    lower: Any = "ascii" if not of_tokenizer else "unicode" if settings.get("lower", True) else "none"
    pipeline = TextPipeline(
        tokenizer=Tokenizer(lower=lower, filters=settings.get("filters", KERAS_FILTERS)),
        vocabulary=vocabulary,
        maxlen=options.maxlen or model.input_length or _NOTEBOOK_LENGTH,
        padding=options.padding or "pre",
        truncating=options.truncating or "pre",
    )
    said = {"imdb": "imdb.load_data", "tokenizer": "Tokenizer.texts_to_sequences"}[kind]
    assumed = [f"ids of words, taken as those of {said}: {_in_words(pipeline)}"]
    if options.word_index_kind is None:
        other = "imdb" if of_tokenizer else "tokenizer"
        assumed[0] += f" (--word_index_kind {other} otherwise)"
    if options.maxlen is None and model.input_length is None:
        assumed.append(f"length of texts, taken as {_NOTEBOOK_LENGTH} (--maxlen otherwise)")
    return pipeline, assumed


def _in_words(pipeline: TextPipeline) -> str:
    vocabulary = pipeline.vocabulary
    start = "no start mark" if vocabulary.start_char is None else f"{vocabulary.start_char} starts a text"
    other = "left out" if vocabulary.oov_char is None else f"{vocabulary.oov_char}"
    return (
        f"rank + {vocabulary.index_from} below {vocabulary.num_words}, {start}, words beyond that {other}, "
        f"padded {'in front' if pipeline.padding == 'pre' else 'behind'}"
    )


def _read_index(path: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Words and ranks, and where the file is `Tokenizer.to_json()`'s, that Tokenizer's settings."""
    try:
        index = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"cannot read the word index {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"the word index {path} is not JSON: {error}") from error
    if not isinstance(index, dict):
        raise InputError(f"the word index {path} is {index!r:.80}; it has to be an object of words and ranks")
    if index.get("class_name") != "Tokenizer" or not isinstance(index.get("config"), dict):
        return index, None
    settings = index["config"]
    if settings.get("char_level") or settings.get("split", " ") != " ":
        raise InputError(f"the Tokenizer in {path} splits into characters, or not at spaces, which is not read")
    try:
        return json.loads(settings["word_index"]), settings
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"the Tokenizer in {path} has no word index: {error}") from error


def _is_mark(word: str) -> bool:
    """Whether the first word is an `oov_token`: brackets are filters of a Tokenizer, so no word of its own has them."""
    return any(char in word for char in "<>[]_") or word.lower() in ("oov", "unk")
