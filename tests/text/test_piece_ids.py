from hypothesis import given
from hypothesis import strategies as st

from seqclass.text import PieceIds, Tokenizer, Vocabulary

OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "num_words": st.integers(4, 7),
        "start_char": st.none(),
        "oov_char": st.none(),
        "skip_top": st.integers(0, 5),
        "unseen_words": st.just("oov"),
    },
)


@given(st.lists(st.text(st.sampled_from("abcd'. "), max_size=12), max_size=5), OPTIONS)
def test_the_same_as_encoding_each_text(texts, options):
    tokenizer = Tokenizer(kind="regex", token_pattern=r"\w+(?:'\w+)?|[^\w\s]", filters="")
    vocabulary = Vocabulary(("a", ".", "b", "c"), **options)
    pieces = tokenizer.pieces(texts)
    found = PieceIds(vocabulary, tokenizer.words_of_pieces(pieces.words)).encode(pieces.numbers)
    expected = [vocabulary.encode(tokenizer(text)) for text in texts]
    assert [found[row].tolist() for row in range(len(found))] == expected
