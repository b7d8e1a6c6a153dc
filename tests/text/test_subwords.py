import numpy as np
import pytest

from seqclass.errors import InputError
from seqclass.text import Vocabulary, subword_table

WORDS = ("charm", "charming", "charmingly", "at", "a", "harm", "é\ud800x")


def table(**options):
    vocabulary = Vocabulary(WORDS, **options)
    rows = subword_table(vocabulary, buckets=2**20)
    return {word: set(rows[i].tolist()) - {0} for word, i in vocabulary.word_ids().items()}, rows


def test_words_of_one_family_share_parts():
    parts, rows = table()
    assert rows.shape == (len(WORDS) + 4, 7)
    assert rows.dtype == np.int32
    # cha-, char- and charm-; charmi- too.
    assert len(parts["charm"] & parts["charming"]) == 3
    assert len(parts["charming"] & parts["charmingly"]) == 4
    # -rm and -arm, -harm: a beginning is not an ending.
    assert len(parts["charm"] & parts["harm"]) == 3
    assert not parts["at"] & parts["charm"]


def test_short_words_have_fewer_and_marks_none():
    parts, rows = table()
    assert [len(parts[word]) for word in ("a", "at", "harm", "charmingly")] == [0, 1, 5, 7]
    assert len(parts["é\ud800x"]) == 3
    assert not rows[:4].any()


def test_words_beyond_the_limit_have_no_row():
    parts, rows = table(num_words=6)
    assert rows.shape == (6, 7)
    assert set(parts) == {"charm", "charming"}


def test_few_buckets_are_all_used():
    rows = subword_table(Vocabulary(tuple(f"word{i}" for i in range(200))), buckets=3)
    assert set(rows[4:].flatten().tolist()) == {0, 1, 2}  # "word1" has no part of six letters
    with pytest.raises(InputError, match=r"^buckets is 1; allowed are whole numbers from 2 on$"):
        subword_table(Vocabulary(("a",)), buckets=1)
