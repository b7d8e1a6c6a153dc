"""Vocabularies from and to `torchtext.vocab.Vocab`; every word keeps its id.

A torchtext vocabulary is a list of tokens, whose places are their ids, and one answer for all other words: the default
index, or an error. Ids without a word here are marks there:

| id | mark |
|---|---|
| 0 | `<pad>`, or `<unk>` where words that are not known become 0 |
| `start_char` | `<start>` |
| `oov_char` | `<oov>` |
| without meaning | `<unused3>`, with its id |
"""

import re
from typing import Any

from seqclass.errors import InputError
from seqclass.text import OOV_MARK, START_MARK, Vocabulary
from seqclass.text.torchtext_library import import_torchtext

_MARK = re.compile(r"<.*>|\[.*\]")
_UNKNOWN_MARK = "<unk>"


def to_torchtext(vocabulary: Vocabulary) -> Any:
    """Make the `torchtext.vocab.Vocab` that gives each word the id it has here.

    The default index is `oov_char` where unseen words become it. Where they are left out there is none: torchtext then
    raises an error for them. It has no start mark; `torchtext.transforms.AddToken` adds one.

    Raises:
        InputError: if torchtext is missing, or cannot say what the vocabulary does.
    """
    tokens, default_index = to_tokens(vocabulary)
    converted = import_torchtext("vocab").vocab(dict.fromkeys(tokens, 1))
    converted.set_default_index(default_index)
    return converted


def from_torchtext(vocab: Any) -> Vocabulary:
    """Make the vocabulary that gives each word the id it has in a `torchtext.vocab.Vocab`.

    One that `to_torchtext` has made becomes what it was made from. In any other, id 0 has to be a mark such as `<pad>`
    or `<unk>`, since it fills short texts up here; all later tokens are words.

    Raises:
        InputError: if id 0 is a word, the default index is not an id, or a token is empty or holds a space.
    """
    return from_tokens(vocab.get_itos(), vocab.get_default_index())


def to_tokens(vocabulary: Vocabulary) -> tuple[list[str], int | None]:
    """Return the tokens in the order of their ids, and the default index; None for none.

    Raises:
        InputError: if torchtext cannot say what the vocabulary does.
    """
    start, oov, num_ids = vocabulary.start_char, vocabulary.oov_char, vocabulary.num_ids
    ranked = enumerate(vocabulary.words, vocabulary.index_from + 1)
    word_by_id = {i: word for i, word in ranked if vocabulary.skip_top <= i < num_ids}
    unseen_become_oov = vocabulary.unseen_words == "oov"
    if len(word_by_id) < len(vocabulary.words) and oov is not None and not unseen_become_oov:
        raise InputError(
            f"num_words={vocabulary.num_words} and skip_top={vocabulary.skip_top} make some words oov_char={oov}, but "
            "unseen words are left out, and torchtext has one answer for both: choose it, and convert "
            "dataclasses.replace(vocabulary, unseen_words='oov')"
        )
    if start is not None and (start == oov or start in word_by_id or vocabulary.encode([]) != [start]):
        raise InputError(f"start_char={start} has another meaning too, or none below skip_top: torchtext has one an id")
    marks = {0: "<pad>", start: START_MARK, oov: OOV_MARK if oov else _UNKNOWN_MARK}
    tokens = [word_by_id.get(i) or marks.get(i) or _unused(i) for i in range(num_ids)]
    if len(set(tokens)) < len(tokens):
        both = next(token for token in tokens if tokens.count(token) > 1)
        raise InputError(f"the word {both!r} of the vocabulary is the name of a mark too; torchtext has each once")
    return tokens, oov if unseen_become_oov else None


def from_tokens(tokens: list[str], default_index: int | None) -> Vocabulary:
    """Return the inverse of `to_tokens`.

    Raises:
        InputError: as `from_torchtext`.
    """
    if not tokens or not _MARK.fullmatch(tokens[0]):
        raise InputError(
            f"the torchtext vocabulary begins with {tokens[:1]!r:.80}; its first token has to be a mark, since id 0 "
            "fills short texts up here: build it with specials=['<pad>', '<unk>']"
        )
    if default_index is not None and not 0 <= default_index < len(tokens):
        raise InputError(f"the default index is {default_index}; the vocabulary has ids from 0 to {len(tokens) - 1}")
    index_from = 0
    while index_from + 1 < len(tokens) and tokens[index_from + 1] in (START_MARK, OOV_MARK, _unused(index_from + 1)):
        index_from += 1
    end = len(tokens)
    while end > index_from + 1 and tokens[end - 1] == _unused(end - 1):
        end -= 1
    marks = {token: i for i, token in enumerate(tokens[: index_from + 1])}
    oov = marks.get(OOV_MARK, marks.get(_UNKNOWN_MARK))
    return Vocabulary(
        tuple(tokens[index_from + 1 : end]),
        num_words=len(tokens) if end < len(tokens) else None,
        start_char=marks.get(START_MARK),
        oov_char=oov if default_index is None else default_index,
        index_from=index_from,
        unseen_words="skip" if default_index is None else "oov",
    )


def _unused(i: int) -> str:
    return f"<unused{i}>"
