import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqclass.data.sources.encodings import COMMON, fitting_encodings
from seqclass.errors import InputError


@pytest.fixture
def fits(tmp_path):
    """Writes each content to a file, and returns what fits all of them."""

    def write_and_find(*contents, suffix=".csv"):
        paths = [tmp_path / f"{number}{suffix}" for number in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        return fitting_encodings(paths)

    return write_and_find


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("naïve café", "utf-8"), ("naïve – café", "cp1252"), ("скучный фильм", "cp1251"), ("退屈な映画です", "shift_jis")],
)
def test_the_right_one_is_among_them_and_shows_the_text(fits, text, encoding):
    assert fits(f"text,label\n{text},x\n".encode(encoding))[encoding].startswith(f"text,label {text}")


def test_what_has_no_meaning_in_one_is_left_out(fits):
    assert "utf-8" not in fits("café!".encode("latin-1"))
    assert list(fits(b"\x81\x98\xff")) == ["latin-1"]
    assert list(fits(b"plain")) == list(COMMON)
    assert set(fits(b"plain").values()) == {""}


def test_excerpts_cannot_steer_a_terminal(fits):
    assert fits(b"a\x9b2J\x1b[31mb")["latin-1"] == "a\ufffd2J\ufffd[31mb"


def test_all_files_count(fits):
    assert "utf-8" in fits("né".encode(), b"plain")
    assert "utf-8" not in fits("né".encode(), "né!".encode("latin-1"))
    assert fits("né".encode("utf-16"), "né!".encode("latin-1")) == {}


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-16", "utf-16"),
        ("utf-32", "utf-32"),
        ("utf-8-sig", "utf-8"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be",) * 2,
    ],
)
def test_marks_and_zero_bytes_say_what_it_is(fits, encoding, found):
    (name, *others) = fits("text\ncafé".encode(encoding))
    assert name == found
    assert set(others) <= {"utf-16-le", "utf-16-be"}


def test_characters_that_two_chunks_share_and_bytes_far_behind(fits):
    content = b"x" * ((1 << 20) - 1) + "é".encode() + b"x" * 100
    assert "utf-8" in fits(content)
    assert "utf-8" not in fits(content + b"\xe9")


def test_compressed(fits):
    assert "cp1252" in fits(gzip.compress("caf\xe9".encode("cp1252")), suffix=".csv.gz")
    with pytest.raises(InputError, match=r"cannot read .*0\.csv\.gz"):
        fits(b"plain", suffix=".csv.gz")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=40))
def test_whatever_fits_reads_the_file(fits, content):
    for name in fits(content):
        content.decode(name)
