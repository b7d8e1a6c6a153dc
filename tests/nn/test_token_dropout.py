import pytest
import torch

from seqclass.nn import TokenDropout


def test_replaces_words_and_leaves_padding():
    torch.manual_seed(0)
    ids = torch.randint(5, 50, (200, 100))
    ids[:, :20] = 0
    seen = TokenDropout(0.3, unknown_id=2)(ids)
    replaced = seen != ids
    assert not replaced[:, :20].any()
    assert (seen[replaced] == 2).all()
    # 16,000 words: four standard deviations.
    assert replaced[:, 20:].float().mean().item() == pytest.approx(0.3, abs=4 * (0.21 / 16_000) ** 0.5)


def test_each_occurrence_is_drawn_by_itself():
    torch.manual_seed(0)
    seen = TokenDropout(0.5)(torch.full((1, 100), 7))
    assert set(seen.flatten().tolist()) == {2, 7}


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_the_two_outcomes(rate):
    ids = torch.tensor([[0, 5, 6]])
    assert TokenDropout(rate)(ids).tolist() == ([[0, 5, 6]] if rate == 0 else [[0, 2, 2]])
    assert torch.equal(TokenDropout(rate).eval()(ids), ids)


def test_wrong_values():
    with pytest.raises(ValueError, match=r"rate is 1\.5; allowed are probabilities from 0 to 1"):
        TokenDropout(1.5)
    with pytest.raises(ValueError, match="unknown_id is 0; allowed are whole numbers from 1 on"):
        TokenDropout(0.1, unknown_id=0)
