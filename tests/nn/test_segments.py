import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.gradients import with_gradients
from support.versions import OLD_PYTORCH

from seqclass.nn import LSTM, Bidirectional, Segments, chop, pool_segments

SIZES = {"counts": st.lists(st.integers(0, 23), min_size=1, max_size=5), "length": st.integers(1, 9)}


def texts_of(counts, steps=23):
    """Rows with so many words, which are numbered through, behind padding."""
    rows = torch.zeros(len(counts), steps, dtype=torch.int64)
    words = iter(range(1, 1000))
    for row, count in zip(rows, counts, strict=True):
        row[steps - count :] = torch.tensor([next(words) for _ in range(count)])
    return rows


@settings(deadline=None)
@given(**SIZES)
def test_each_word_is_in_one_row_in_order(counts, length):
    ids = texts_of(counts)
    segments = chop(ids, length)
    assert segments.ids.shape[1] == min(length, max(1, *counts))
    for text, count in enumerate(counts):
        rows = segments.ids[segments.texts == text]
        assert rows.flatten()[rows.flatten() != 0].tolist() == ids[text, 23 - count :].tolist()
        assert len(rows) == max(1, -(-count // segments.ids.shape[1]))
        # Full but for the first, which is padded in front.
        assert (rows[1:] != 0).all()
        assert segments.places[segments.texts == text].diff().eq(1).all()
    assert torch.equal(segments.padding.counts, (segments.ids == 0).sum(dim=1))


@settings(deadline=None)
@given(**SIZES, drop_padding=st.booleans())
def test_pooled_over_the_words_of_the_whole_text(counts, length, drop_padding):
    ids = texts_of(counts)
    table = torch.randn(1000, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    table[0] = 100  # padding is not to be seen
    table.requires_grad_()
    segments = chop(ids, length, drop_padding=drop_padding)
    pooled = pool_segments(table[segments.ids], segments)
    expected = []
    for row, count in zip(ids, counts, strict=True):
        words = table[row[23 - count :]] if count else 0 * table[:1]
        expected.append(torch.cat([words.amax(dim=0), words.mean(dim=0)]))
    # Float64, at most 23 numbers at the scale of 1.
    torch.testing.assert_close(
        with_gradients(pooled, table), with_gradients(torch.stack(expected), table), rtol=0, atol=1e-13
    )


@pytest.mark.parametrize("counts", [[23, 1, 0, 12], [0, 0], [23]])
def test_a_network_over_rows_with_and_without_their_padding(counts):
    torch.manual_seed(0)
    network = Bidirectional(LSTM(2, 3), LSTM(2, 3)).double()
    table = torch.randn(1000, 2, dtype=torch.float64)
    ids = texts_of(counts)

    def run(segments):
        return pool_segments(network(table[segments.ids], segments.padding, return_sequences=True), segments)

    with_all, without = run(chop(ids, 5, drop_padding=False)), run(chop(ids, 5))
    torch.testing.assert_close(with_all, without, rtol=0, atol=1e-13)
    alone = torch.cat([run(chop(row.unsqueeze(0), 5)) for row in ids])
    torch.testing.assert_close(without, alone, rtol=0, atol=1e-13)
    alone.sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in network.parameters())


def test_texts_shorter_than_a_segment_stay_whole():
    ids = texts_of([3, 7])
    segments = chop(ids, 50)
    assert torch.equal(segments.ids, ids[:, -7:])
    assert segments.padding.counts.tolist() == [4, 0]
    assert segments.padding.masked


@pytest.mark.skipif(OLD_PYTORCH, reason="PyTorch 2.3 cannot trace a dataclass")
def test_exported_with_fixed_numbers_of_rows():
    class Maxima(torch.nn.Module):
        def forward(self, ids):
            segments = chop(ids, 5, drop_padding=False)
            return pool_segments(segments.ids.unsqueeze(2).float(), segments)

    exported = torch.export.export(Maxima(), (texts_of([23, 4]),), dynamic_shapes=({0: torch.export.Dim("batch")},))
    ids = texts_of([1, 0, 9])
    assert torch.equal(exported.module()(ids), Maxima()(ids))


def test_wrong_lengths_are_named():
    with pytest.raises(ValueError, match=r"^length is 0; allowed are whole numbers from 1 on$"):
        chop(texts_of([2]), 0)
    assert Segments is type(chop(texts_of([2]), 1))


@pytest.mark.parametrize("grad", [True, False])
def test_sums_are_not_of_half_precision_under_autocast(grad):
    states = torch.randn(2, 23, 3, generator=torch.Generator().manual_seed(0)).requires_grad_(grad)
    segments = chop(texts_of([23, 4]), 23)
    with torch.set_grad_enabled(grad):
        expected = pool_segments(states, segments)
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(pool_segments(states, segments), expected)
