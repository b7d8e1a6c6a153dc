import pytest

from seqclass.text import Vocabulary, subword_table
from seqclass.text.subwords import subwords


def test_the_ngrams_of_a_word_are_scikit_learns():
    text = pytest.importorskip("sklearn.feature_extraction.text")
    find = text.CountVectorizer(analyzer="char_wb", ngram_range=(3, 5)).build_analyzer()
    for word in ("film", "unwatchable", "so", "été", "banana"):
        marked = {f"<{found[1:]}" if found[0] == " " else found for found in find(word)}
        assert set(subwords(word)) == {f"{found[:-1]}>" if found[-1] == " " else found for found in marked}


@pytest.mark.parametrize(("word", "found"), [("a", ["<a>"]), ("", ["<>"]), ("aaaa", ["<aa", "aaa", "aa>", "<aaa"])])
def test_short_words_and_repeats(word, found):
    assert subwords(word)[: len(found)] == found
    assert len(set(subwords(word))) == len(subwords(word))


def test_words_share_numbers_and_marks_have_none():
    vocabulary = Vocabulary.from_counts({"film": 3, "films": 2}, unseen_words="oov")
    table = subword_table(vocabulary)
    assert len(table) == vocabulary.num_ids
    rows = {word: set(table[row].tolist()) for word, row in vocabulary.word_ids().items()}
    shared = set(subwords("film")) & set(subwords("films"))
    assert len(rows["film"] & rows["films"]) == len(shared) > 0
    assert sum(len(table[row]) for row in range(len(table))) == len(subwords("film")) + len(subwords("films"))
