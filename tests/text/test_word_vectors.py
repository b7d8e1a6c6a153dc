import gzip
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqclass.errors import InputError
from seqclass.text import Vocabulary, read_word_vectors, word_vectors

VOCABULARY = Vocabulary(("the", "film", "née", "unheard"), num_words=7)  # its ids are 4 to 7, and 7 is cut off
ROWS = {"the": [0.1, -0.25, 3e-3], "née": [1, 2, 3], "other": [9, 9, 9]}


def lines(rows=ROWS, end="\n"):
    return "".join(f"{word} {' '.join(map(str, numbers))}{end}" for word, numbers in rows.items())


@pytest.fixture
def read(tmp_path):
    """Writes content to a file of that name and reads it."""

    def write_and_read(content, name="vectors.txt", **options):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_word_vectors(tmp_path / name, VOCABULARY, **options)

    return write_and_read


def check(vectors):
    assert vectors.dimension == 3
    assert vectors.ids.tolist() == [4, 6]
    assert vectors.word_ids.tolist() == [4, 5, 6]
    np.testing.assert_array_equal(vectors.vectors, np.array([ROWS["the"], ROWS["née"]], dtype=np.float32))


class TestForms:
    @pytest.mark.parametrize("head", ["", "3 3\n", "3 3\r\n"])
    @pytest.mark.parametrize("end", ["\n", " \n", "\r\n", " \r\n"])
    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    def test_of_glove_word2vec_and_fasttext(self, read, head, end, mark):
        check(read(mark + head + lines(end=end)))

    def test_the_last_line_need_not_end(self, read):
        check(read(lines().rstrip("\n")))

    def test_compressed(self, read, tmp_path):
        check(read(gzip.compress(lines().encode()), "vectors.vec.gz"))
        with zipfile.ZipFile(tmp_path / "glove.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("glove.3d.txt", lines())
        check(read_word_vectors(tmp_path / "glove.zip", VOCABULARY))
        with zipfile.ZipFile(tmp_path / "glove.zip", "a") as archive:
            archive.writestr("sub/glove.1d.txt", "the 0.5\n")
        check(read_word_vectors(tmp_path / "glove.zip" / "glove.3d.txt", VOCABULARY))
        assert read_word_vectors(tmp_path / "glove.zip" / "sub" / "glove.1d.txt", VOCABULARY).dimension == 1
        with pytest.raises(InputError, match=r"glove\.zip holds several files; name one of its 2 as .*glove\.3d\.txt"):
            read_word_vectors(tmp_path / "glove.zip", VOCABULARY)
        with pytest.raises(InputError, match=r"glove\.zip holds no file 'glove\.2d\.txt'"):
            read_word_vectors(tmp_path / "glove.zip" / "glove.2d.txt", VOCABULARY)

    def test_words_with_spaces_as_in_gloves_largest_file(self, read):
        odd = {". . .": [7, 7, 7], "at name@domain.com": [8, 8, 8], "the film": [5, 5, 5], "film 2": [6, 6, 6]}
        check(read(lines({**odd, **ROWS})))
        check(read(lines({**ROWS, **odd})))

    def test_words_that_are_numbers_or_no_utf8(self, read):
        check(read(lines({"0.5": [1, 1, 1], "nan": [1, 1, 1], **ROWS})))
        check(read(b"caf\xe9 1 1 1\n" + lines().encode()))

    def test_the_first_of_two_vectors_counts(self, read):
        check(read(lines() + "the 5 5 5\n"))


class TestErrors:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", r"vectors\.txt holds no word vectors"),
            ("3 3\n", r"vectors\.txt holds no word vectors"),
            ("the 1 2\nfilm 1\n", r"vectors\.txt:2: 'film' has 1 numbers, but vectors here have 2"),
            ("the 1 2\nother 1\n", r"vectors\.txt:2: 'other' has 1 numbers"),
            ("the 1 2\nfilm 0.5 1 2\n", r"vectors\.txt:2: 'film' has 3 numbers, but vectors here have 2"),
            ("2 3\nthe 1 2\n", r"vectors\.txt:2: 'the' has 2 numbers, but vectors here have 3"),
            ("the 1 2\nfilm 1 x\n", r"vectors\.txt:2: 'x' is not a finite number"),
            ("the 1 nan\n", r"vectors\.txt:1: 'nan' is not a finite number"),
            ("the 1 2\nfilm -inf 2\n", r"vectors\.txt:2: '-inf' is not a finite number"),
            ("the 1 2\nfilm 1e39 2\n", r"vectors\.txt:2: '1e39' is not a finite number"),
            ("the\n", r"vectors\.txt:1: the vectors have 0 numbers; allowed are 1 to 4,096"),
            ("the\t1\t2\n", r"vectors\.txt:1: the vectors have 0 numbers"),
            ("1 999999\nthe 1\n", r"vectors\.txt:1: the vectors have 999,999 numbers"),
            ("the " + "1" * 300_000, r"vectors\.txt:1: this line has 262,144 bytes or more"),
            ("9 2\nthe 1 2\n", r"vectors\.txt announces 9 words in its first line but has 1: it is truncated"),
            ("The 1 2\n", r"vectors\.txt has no vector for any .* 3 words, such as 'the'; the first word .* is 'The'"),
        ],
    )
    def test_what_cannot_be_used(self, read, content, message):
        with pytest.raises(InputError, match=message):
            read(content)

    def test_another_dimension_than_asked_for(self, read):
        check(read(lines(), dimension=3))
        with pytest.raises(InputError, match=r"vectors of size 3, but embedding_dim is 32; set it to null, or to"):
            read(lines(), dimension=32)

    def test_broken_archives(self, read, tmp_path):
        with pytest.raises(InputError, match=r"cannot read .*lost\.txt: No such file"):
            read_word_vectors(tmp_path / "lost.txt", VOCABULARY)
        with pytest.raises(InputError, match=r"cannot read .*a\.txt\.gz: Not a gzipped file"):
            read("the 1 2\n", "a.txt.gz")
        whole = gzip.compress(lines({f"w{n}": [n, n] for n in range(5000)}).encode())
        with pytest.raises(InputError, match=r"cannot read .*b\.txt\.gz: it is damaged or was cut short"):
            read(whole[: len(whole) // 2], "b.txt.gz")
        with pytest.raises(InputError, match=r"cannot read .*c\.zip: it is damaged or was cut short"):
            read("the 1 2\n", "c.zip")

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(content=st.binary(max_size=60) | st.text("the film\n0123.e-nai\ufeff", max_size=60).map(str.encode))
    def test_whatever_the_bytes_it_is_vectors_or_one_clear_error(self, read, content):
        try:
            vectors = read(content)
        except InputError as error:
            assert "vectors.txt" in str(error)  # noqa: PT017
        else:
            assert np.isfinite(vectors.vectors).all()
            assert set(vectors.ids) <= set(vectors.word_ids)


def test_only_the_vocabularys_rows_are_kept(read, monkeypatch):
    made = []
    monkeypatch.setattr(word_vectors.np, "empty", lambda shape, dtype: made.append(shape) or np.zeros(shape, dtype))
    check(read(lines({**{f"w{n}": [n, n, n] for n in range(1000)}, **ROWS})))
    assert made == [(0, 0), (3, 3)]


def test_coverage_of_words_and_of_their_places(read):
    counts = np.zeros(7, dtype=np.int64)
    counts[[1, 2, 4, 5, 6]] = [100, 50, 6, 3, 1]
    assert read(lines()).coverage(counts) == (
        "vectors.txt: vectors of size 3 for 2 of the vocabulary's 3 words (66.7%), which make up 70.0% of their "
        "occurrences in the training texts"
    )
