"""The stack `pooled`: segments, maxima and means, and n-grams beside them."""

import pytest
import torch

from seqclass.models import StackOptions, build_stack
from seqclass.models.stack import Stack

SIZES = {"num_embeddings": 40, "embedding_dim": 4, "hidden_size": 5, "ngram_buckets": 997}


def build(**options):
    torch.manual_seed(0)
    stack = build_stack("pooled", **{**SIZES, **options}).double()
    with torch.no_grad():
        for weight in stack.parameters():
            weight.uniform_(-0.6, 0.6)
        if stack.ngrams is not None:
            stack.ngrams.weight[0] = 0  # the row of padding
    return stack.eval()


def texts(*lengths, steps=61):
    ids = torch.randint(1, 40, (len(lengths), steps), generator=torch.Generator().manual_seed(3))
    return ids.masked_fill(torch.arange(steps) < steps - torch.tensor(lengths).unsqueeze(1), 0)


@pytest.mark.parametrize("segment_length", [0, 7, 50, 61, 100])
def test_neither_padding_nor_the_other_texts_matter(segment_length):
    stack, ids = build(segment_length=segment_length), texts(61, 3, 0, 20, 50, 49, 51)
    with torch.no_grad():
        together = stack(ids)
        alone = torch.cat(
            [
                stack(row[-max(1, length) :].unsqueeze(0))
                for row, length in zip(ids, [61, 3, 0, 20, 50, 49, 51], strict=True)
            ]
        )
        longer = stack(torch.cat([ids.new_zeros(7, 30), ids], dim=1))
        behind = stack(torch.cat([ids, ids.new_zeros(7, 9)], dim=1))
    # Float64: 61 steps at the scale of 1, in matrix products of other shapes.
    for other in (alone, longer, behind):
        torch.testing.assert_close(together, other, rtol=0, atol=1e-13)


def test_segments_as_long_as_the_text_are_the_text():
    ids = texts(61, 3, 20)
    with torch.no_grad():
        torch.testing.assert_close(build(segment_length=61)(ids), build(segment_length=0)(ids), rtol=0, atol=1e-13)


def test_the_branches_add_up():
    stack, ids = build(), texts(20, 30)
    with torch.no_grad():
        recurrent, ngrams = stack.recurrent_logits(ids), stack.ngram_logits(ids)
        stack.blend.weights.copy_(torch.tensor([2.0, 3.0]))
        torch.testing.assert_close(stack(ids), 2 * recurrent + 3 * ngrams)
    without = build(ngrams=0)
    assert without.ngrams is without.blend is None


def test_gradients_reach_the_recurrent_branch_alone():
    stack = build(num_classes=3).train()
    torch.nn.functional.cross_entropy(stack.recurrent_logits(texts(20, 30, 61)), torch.tensor([0, 1, 2])).backward()
    trained = {name for name, weight in stack.named_parameters() if weight.grad is not None}
    assert trained == {name for name, weight in stack.named_parameters() if not name.startswith(("ngrams", "blend"))}


def test_what_segments_need():
    for options in ({"pooling": "mean"}, {"mask_padding": False}, {"pooling": "last"}):
        with pytest.raises(ValueError, match="segment_length=50 needs mask_padding=True and pooling='max_mean'"):
            StackOptions(stack="pooled", **options)
    assert isinstance(build_stack("pooled", segment_length=0, pooling="last", **SIZES), Stack)


def test_output_dropout_has_a_rate_of_its_own():
    stack = build_stack("pooled", dropout=0.1, output_dropout=0.2, token_dropout=0.3, **SIZES)
    assert (stack.embedded_dropout.rate, stack.output_dropout.rate, stack.token_dropout.rate) == (0.1, 0.2, 0.3)
