import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqclass.errors import InputError
from seqclass.text import RaggedIds, pad_sequences


def keras_rows(sequences, *, maxlen, padding, truncating, value):
    """Keras' `pad_sequences`, one list after the other."""
    rows = []
    for ids in sequences:
        kept = ids[-maxlen:] if truncating == "pre" else ids[:maxlen]
        filling = [value] * (maxlen - len(kept))
        rows.append(filling + kept if padding == "pre" else kept + filling)
    return rows


@given(
    sequences=st.lists(st.lists(st.integers(0, 30_000), max_size=9), max_size=7),
    maxlen=st.integers(1, 8),
    padding=st.sampled_from(["pre", "post"]),
    truncating=st.sampled_from(["pre", "post"]),
    value=st.integers(-1, 5),
    dtype=st.sampled_from(["int32", "int16", "int64", "float32"]),
)
def test_equal_to_keras_on_all_options(sequences, dtype, **options):
    expected = np.array(keras_rows(sequences, **options), dtype=dtype).reshape(-1, options["maxlen"])
    for given_as in (sequences, RaggedIds.from_lists(sequences)):
        matrix = pad_sequences(given_as, dtype=dtype, **options)
        assert matrix.dtype == dtype
        np.testing.assert_array_equal(matrix, expected)


def test_both_sides_are_the_front_by_default():
    assert pad_sequences([[1, 2, 3], [4]], maxlen=2).tolist() == [[2, 3], [0, 4]]
    assert pad_sequences([[1]], maxlen=1).dtype == np.int32


def test_25000_rows_of_500_take_well_under_a_second():
    lengths = np.random.default_rng(0).integers(10, 1000, 25_000)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids = RaggedIds(np.ones(offsets[-1], dtype=np.uint16), offsets)
    start = time.thread_time()
    pad_sequences(ids, maxlen=500, dtype="int16")
    assert time.thread_time() - start < 0.5  # 0.02 s alone on a core; busy ones are slower


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"maxlen": 0}, "maxlen is 0; allowed are whole numbers from 1 to 1,000,000"),
        ({"maxlen": None}, "maxlen is None"),
        ({"maxlen": 5.0}, r"maxlen is 5\.0"),
        ({"maxlen": True}, "maxlen is True"),
        ({"maxlen": 5, "padding": "left"}, "padding is 'left'; allowed are 'pre', 'post'"),
        ({"maxlen": 5, "truncating": "Pre"}, "truncating is 'Pre'; allowed are 'pre', 'post'"),
        ({"maxlen": 5, "value": -1, "dtype": "uint8"}, "value is -1; uint8 holds 0 to 255"),
    ],
)
def test_wrong_options(option, message):
    with pytest.raises(InputError, match=message):
        pad_sequences([[1]], **option)


def test_an_id_that_the_dtype_cannot_hold_is_not_wrapped():
    with pytest.raises(InputError, match="the largest id is 40000; int16 holds -32768 to 32767"):
        pad_sequences([[40_000]], maxlen=5, dtype="int16")
