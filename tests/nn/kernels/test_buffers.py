"""The memory that steps share: used again as soon as it is free, and never while a graph still needs it."""

import gc
import threading
from itertools import pairwise

import pytest
import torch

from seqclass.nn import LSTM
from seqclass.nn.kernels import buffers
from seqclass.nn.kernels.buffers import Lease


@pytest.fixture(autouse=True)
def empty_pool(monkeypatch):
    gc.collect()
    pool = {}
    monkeypatch.setattr(buffers, "_free", pool)
    return pool


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return LSTM(3, 4, kernel="fused").double()


def inputs(seed, *, batch=6, steps=60):
    return torch.randn(batch, steps, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def gradients(layer, loss, **options):
    return torch.autograd.grad(loss, list(layer.parameters()), **options)


def undisturbed(layer, x):
    """The gradients of a step that has memory of its own."""
    reference = LSTM(3, 4, kernel="reference").double()
    reference.load_state_dict(layer.state_dict())
    return gradients(reference, reference(x).sum())


def assert_gradients(result, expected):
    # Float64, sums over 6 x 60 terms: a disturbed buffer is off by the size of the gradients themselves.
    torch.testing.assert_close(result, expected, rtol=1e-12, atol=1e-12)


def test_two_forwards_before_two_backwards(layer):
    first, second = inputs(1), inputs(2)
    first_loss, second_loss = layer(first).sum(), layer(second).sum()
    assert_gradients(gradients(layer, first_loss), undisturbed(layer, first))
    assert_gradients(gradients(layer, second_loss), undisturbed(layer, second))


def test_two_uses_in_one_graph(layer):
    first, second = inputs(1), inputs(2, steps=31)
    both = gradients(layer, layer(first).sum() + layer(second).sum())
    expected = [a + b for a, b in zip(undisturbed(layer, first), undisturbed(layer, second), strict=True)]
    assert_gradients(list(both), expected)


def test_two_backwards_through_one_graph(layer):
    x = inputs(1)
    loss = layer(x).sum()
    assert_gradients(gradients(layer, loss, retain_graph=True), undisturbed(layer, x))
    layer(inputs(2)).sum().backward()
    assert_gradients(gradients(layer, loss), undisturbed(layer, x))


def test_a_third_backward_after_the_graph_is_freed_is_refused(layer):
    loss = layer(inputs(1)).sum()
    gradients(layer, loss)
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        gradients(layer, loss)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("batch", [6, 20])
def test_predicting_between_forward_and_backward(layer, mode, batch):
    x = inputs(1)
    loss = layer(x).sum()
    with mode():
        layer(inputs(2, batch=batch))
        layer(inputs(3, batch=batch))
    assert_gradients(gradients(layer, loss), undisturbed(layer, x))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_training_in_the_memory_of_a_prediction(layer, mode, empty_pool):
    """Lightning validates in inference mode before the first step of training."""
    with mode():
        layer(inputs(2, batch=200))
    (piece,) = [flat.data_ptr() for flat in empty_pool.values()]
    x = inputs(1)
    loss = layer(x).sum()
    assert not empty_pool
    assert_gradients(gradients(layer, loss), undisturbed(layer, x))
    del loss
    assert [flat.data_ptr() for flat in empty_pool.values()] == [piece]


def test_backward_from_another_thread(layer):
    first, second = inputs(1), inputs(2)
    first_loss, second_loss = layer(first).sum(), layer(second).sum()
    results = {}

    def run(name, loss):
        results[name] = gradients(layer, loss)

    threads = [
        threading.Thread(target=run, args=(name, loss))
        for name, loss in (("first", first_loss), ("second", second_loss))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_gradients(results["first"], undisturbed(layer, first))
    assert_gradients(results["second"], undisturbed(layer, second))


def test_training_on_four_threads_at_once(layer):
    results, failures = {}, []

    def run(seed):
        try:
            x = inputs(seed)
            results[seed] = [gradients(layer, layer(x).sum()) for _ in range(5)]
        except Exception as error:  # a thread's own end would go unseen
            failures.append(error)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    for seed, repeated in results.items():
        expected = undisturbed(layer, inputs(seed))
        for result in repeated:
            assert_gradients(result, expected)


def memory(loss):
    """The piece that the graph of a state's sum holds."""
    return loss.grad_fn.next_functions[0][0].lease._flat


def pieces_of_steps(layer, batches):
    """The memory of each step of training; held here, so that no new piece can have the address of an old one."""
    pieces = []
    for x in batches:
        loss = layer(x).sum()
        pieces.append(memory(loss))
        loss.backward()
        del loss
    return [piece.data_ptr() for piece in pieces]


def test_the_next_step_uses_the_same_memory(layer):
    addresses = pieces_of_steps(layer, [inputs(seed) for seed in range(5)])
    assert len(set(addresses)) == 1


def test_a_batch_that_is_somewhat_longer_uses_it_too(layer):
    addresses = pieces_of_steps(layer, [inputs(0, steps=steps) for steps in (60, 64, 58, 120)])
    assert [address == addresses[0] for address in addresses] == [True, True, True, False]


def test_living_graphs_have_memory_of_their_own(layer):
    losses = [layer(inputs(seed)).sum() for seed in range(4)]
    spans = sorted((flat.data_ptr(), flat.data_ptr() + flat.nbytes) for flat in map(memory, losses))
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


def test_at_most_two_pieces_are_kept(empty_pool):
    leases = [Lease(size, torch.empty(0)) for size in (100, 200, 300, 400)]
    assert not empty_pool
    del leases
    assert len(empty_pool) == 2


def test_a_larger_need_replaces_the_largest_piece(empty_pool):
    leases = [Lease(size, torch.empty(0)) for size in (1000, 2000)]
    del leases
    large = Lease(9000, torch.empty(0))
    assert [flat.numel() for flat in empty_pool.values()] == [1125]
    del large
    assert sorted(flat.numel() for flat in empty_pool.values()) == [1125, 10125]


def test_the_smallest_piece_that_is_large_enough(empty_pool):
    leases = [Lease(size, torch.empty(0)) for size in (1000, 2000)]
    del leases
    lease = Lease(1100, torch.empty(0))
    assert lease._flat.numel() == 1125
    assert [flat.numel() for flat in empty_pool.values()] == [2250]


def test_a_piece_serves_its_own_dtype_only(empty_pool):
    lease = Lease(1000, torch.empty(0, dtype=torch.float64))
    del lease
    other = Lease(10, torch.empty(0, dtype=torch.float32))
    assert other._flat.dtype == torch.float32
    assert [flat.dtype for flat in empty_pool.values()] == [torch.float64]


def test_cuts_do_not_overlap_and_begin_at_cache_lines():
    shapes = [(3, 5), (16,), (1,), (2, 2, 2)]
    lease = Lease(Lease.space(*shapes), torch.empty(0))
    tensors = [lease.cut(*shape) for shape in shapes]
    for value, tensor in enumerate(tensors):
        tensor.fill_(value)
    for value, (tensor, shape) in enumerate(zip(tensors, shapes, strict=True)):
        assert tensor.shape == shape
        assert (tensor == value).all()
        assert (tensor.data_ptr() - lease._flat.data_ptr()) % 64 == 0
    assert lease.mark == Lease.space(*shapes)
    lease.rewind()
    assert lease.cut(3, 5).data_ptr() == tensors[0].data_ptr()
