import zlib

from seqclass.text import Vocabulary, affix_table
from seqclass.text.affixes import affixes


def test_prefixes_and_suffixes_that_fit():
    assert affixes("films") == ["<fil", "<film", "<films", "ms>", "lms>", "ilms>"]
    assert affixes("ok") == ["ok>"]
    assert affixes("a") == []
    assert len(affixes("wonderful")) == 7


def test_words_with_the_same_edges_share_rows():
    vocabulary = Vocabulary(("acting", "acted", "boring", "."), num_words=20)
    table = affix_table(vocabulary, num_embeddings=20, buckets=10_007)
    acting, acted, boring, dot = (set(table[row].tolist()) - {0} for row in (4, 5, 6, 7))
    assert acting & acted == {zlib.crc32(b"<act") % 10_006 + 1}
    assert acting & boring == {zlib.crc32(affix) % 10_006 + 1 for affix in (b"ng>", b"ing>")}
    assert dot == set()
    assert not table[:4].any()
    assert not table[8:].any()


def test_lone_surrogates_are_letters_too():
    assert affix_table(Vocabulary(("\ud800\ud800",), num_words=9), num_embeddings=9, buckets=99).any()
