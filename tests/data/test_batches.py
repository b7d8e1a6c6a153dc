import numpy as np
import pytest
import torch

from seqclass.data import Batch, Batches, EpochOrder, PaddedOnDemand
from seqclass.errors import InputError
from seqclass.text import RaggedIds, TextPipeline, Tokenizer, Vocabulary


def batches(size=10, *, batch_size=4, **options):
    ids = torch.arange(size * 3, dtype=torch.int16).reshape(size, 3)
    options = {"num_ids": size * 3, **options}
    return Batches(ids, torch.arange(size), batch_size=batch_size, **options)


def labels(loader):
    return [label for batch in loader for label in batch.labels.tolist()]


def test_slices_in_order_with_the_smaller_last_batch():
    loader = batches()
    assert len(loader) == 3
    assert [len(batch.labels) for batch in loader] == [4, 4, 2]
    first = next(iter(loader))
    assert isinstance(first, Batch)
    assert first.ids.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
    assert first.ids.dtype == first.labels.dtype == torch.int64
    assert loader.ids.dtype == torch.int16
    assert labels(loader) == list(range(10))


@pytest.mark.parametrize(("size", "count"), [(8, 2), (4, 1), (1, 1), (0, 0)])
def test_length(size, count):
    assert len(batches(size)) == len(list(batches(size))) == count


def test_a_shuffled_epoch_has_each_text_once_with_its_own_label():
    loader = batches(shuffle_seed=7)
    seen = list(loader)
    assert [len(batch.labels) for batch in seen] == [4, 4, 2]
    for batch in seen:
        assert (batch.ids[:, 0] == 3 * batch.labels).all()
    order = torch.cat([batch.labels for batch in seen]).tolist()
    assert order != list(range(10))
    assert sorted(order) == list(range(10))


def test_epochs_of_a_plain_loop_differ_and_follow_from_the_seed():
    first, second = batches(50, shuffle_seed=7), batches(50, shuffle_seed=7)
    epochs = [labels(first) for _ in range(3)]
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert [labels(second) for _ in range(3)] == epochs
    assert labels(batches(50, shuffle_seed=8)) not in epochs


def test_set_epoch_gives_that_epoch_whatever_came_before():
    loader = batches(50, shuffle_seed=7)
    epochs = [labels(loader) for _ in range(3)]
    resumed = batches(50, shuffle_seed=7)
    resumed.sampler.set_epoch(2)
    assert labels(resumed) == epochs[2]
    loader.sampler.set_epoch(1)
    assert labels(loader) == epochs[1]


def test_an_epoch_that_is_left_early_counts():
    loader, whole = batches(50, shuffle_seed=7), batches(50, shuffle_seed=7)
    next(iter(loader))
    labels(whole)
    assert labels(loader) == labels(whole)


def test_orders_of_neighbouring_seeds_and_epochs_are_unrelated():
    orders = {
        tuple(order.next().tolist()) for seed in range(10) for order in [EpochOrder(100, seed=seed)] for _ in range(10)
    }
    assert len(orders) == 100


def test_the_order_does_not_touch_torchs_generator():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    list(batches(shuffle_seed=7))
    assert torch.rand(1) == expected


def test_an_id_outside_the_table_is_named_with_its_text():
    with pytest.raises(InputError, match=r"text 6 \(g\) has the id 20 at step 2; allowed are 0 to 19"):
        batches(num_ids=20, names="abcdefghij")
    with pytest.raises(InputError, match="text 6 has the id 20"):
        batches(num_ids=20)
    with pytest.raises(InputError, match="text 0 has the id -1 at step 1"):
        Batches(torch.tensor([[0, -1]]), torch.tensor([0]), num_ids=5, batch_size=1)


@pytest.mark.parametrize("num_ids", [32_768, 40_000])
def test_tables_larger_than_the_dtype_of_the_ids(num_ids):
    ids = torch.tensor([[0, 32_767]], dtype=torch.int16)
    assert len(Batches(ids, torch.tensor([0]), num_ids=num_ids, batch_size=1)) == 1
    with pytest.raises(InputError, match="text 1 has the id -5 at step 0"):
        Batches(torch.tensor([[1], [-5]], dtype=torch.int16), torch.zeros(2), num_ids=num_ids, batch_size=1)


def test_wrong_sizes():
    with pytest.raises(InputError, match="batch_size is 0"):
        batches(batch_size=0)
    with pytest.raises(InputError, match="there are 2 texts and 3 labels"):
        Batches(torch.zeros(2, 3), torch.zeros(3), num_ids=1, batch_size=1)


class TestResuming:
    @pytest.mark.parametrize("options", [{"shuffle_seed": 7}, {}, {"shuffle_seed": 7, "num_replicas": 2, "rank": 1}])
    @pytest.mark.parametrize("given", [0, 1, 2, 3])
    def test_goes_on_with_the_next_batch_and_epoch(self, options, given):
        whole, interrupted, resumed = (batches(**options) for _ in range(3))
        epochs = [[batch.labels.tolist() for batch in whole] for _ in range(4)]
        labels(interrupted)
        second = iter(interrupted)
        assert [next(second).labels.tolist() for _ in range(given)] == epochs[1][:given]
        resumed.load_state_dict(interrupted.state_dict())
        assert resumed.state_dict() == interrupted.state_dict()
        begins, follows = (epochs[1][given:], epochs[2]) if given < 3 else epochs[2:]
        assert [batch.labels.tolist() for batch in resumed] == begins
        assert [batch.labels.tolist() for batch in resumed] == follows

    def test_another_epoch_begins_at_its_beginning(self):
        whole, resumed = batches(shuffle_seed=7), batches(shuffle_seed=7)
        resumed.load_state_dict({"epoch": 1, "batches": 2, "batch_size": 4, "texts": 10})
        for loader in (whole, resumed):
            loader.sampler.set_epoch(2)  # as Lightning does, where `limit_train_batches` ended the epoch
        assert labels(resumed) == labels(whole)

    @pytest.mark.parametrize(("name", "saved"), [("batch_size", 5), ("texts", 12)])
    def test_other_batches_have_no_such_place(self, name, saved):
        loader = batches(shuffle_seed=7)
        loader.load_state_dict({"epoch": 1, "batches": 1, "batch_size": 4, "texts": 10, name: saved})
        with pytest.raises(InputError, match=rf"in the middle of epoch 2 with {name}=\d+: it was {saved} .* 1 batches"):
            next(iter(loader))

    @pytest.mark.parametrize("state", [{}, {"epoch": 1, "batches": -1, "batch_size": 4, "texts": 10}])
    def test_a_state_from_elsewhere(self, state):
        with pytest.raises(InputError, match="in the saved state of the batches is"):
            batches().load_state_dict(state)


class TestSeveralProcesses:
    @pytest.mark.parametrize("num_replicas", [1, 2, 3, 5])
    @pytest.mark.parametrize("size", [0, 1, 2, 9, 10, 12])
    def test_each_batch_is_that_of_one_process_shared_out(self, num_replicas, size):
        alone = batches(size, shuffle_seed=7)
        shared = [batches(size, shuffle_seed=7, num_replicas=num_replicas, rank=rank) for rank in range(num_replicas)]
        assert {len(loader) for loader in shared} == {len(alone)}
        for _ in range(2):
            for whole, *parts in zip(alone, *shared, strict=True):
                counts = [len(part.labels) for part in parts]
                assert max(counts) - min(counts) <= 1
                assert torch.cat([part.labels for part in parts]).equal(whole.labels)
                assert torch.cat([part.ids[: len(part.labels)] for part in parts]).equal(whole.ids)

    def test_a_process_without_a_text_has_a_row_of_padding(self):
        loader = batches(5, num_replicas=2, rank=1)
        first, last = loader
        assert [len(first.labels), len(last.labels)] == [2, 0]
        assert last.ids.tolist() == [[0, 0, 0]]
        assert last.ids.dtype == last.labels.dtype == torch.int64


class TestOnDemand:
    PIPELINE = TextPipeline(tokenizer=Tokenizer(), vocabulary=Vocabulary(("a",), num_words=9), maxlen=3)
    IDS = RaggedIds.from_lists([[1], [2, 3], [], [4, 5, 6, 7], [8], [7, 7]])
    ROWS = np.array([5, 3, 0, 1])
    MATRIX = torch.from_numpy(PIPELINE.pad(IDS[ROWS]))

    def loader(self, ids, **options):
        return Batches(ids, torch.arange(4), **{"num_ids": 9, "batch_size": 3, "shuffle_seed": 7, **options})

    def on_demand(self, **options):
        return self.loader(PaddedOnDemand(self.IDS, self.ROWS, self.PIPELINE), **options)

    def test_the_rows_of_the_matrix(self):
        padded = PaddedOnDemand(self.IDS, self.ROWS, self.PIPELINE)
        assert padded.shape == self.MATRIX.shape
        assert len(padded) == 4
        assert padded[1:3].equal(self.MATRIX[1:3])
        order = torch.tensor([3, 0, 3])
        assert padded[order].equal(self.MATRIX[order])

    @pytest.mark.parametrize("options", [{}, {"shuffle_seed": None}, {"num_replicas": 2, "rank": 1}])
    def test_the_batches_of_the_matrix(self, options):
        for batch, other in zip(self.on_demand(**options), self.loader(self.MATRIX, **options), strict=True):
            assert batch.ids.equal(other.ids)
            assert batch.labels.equal(other.labels)

    def test_an_id_outside_the_table_is_named_when_its_batch_is_made(self):
        loader = self.on_demand(num_ids=7, shuffle_seed=None, names="abcd", batch_size=1)
        with pytest.raises(InputError, match=r"text 0 \(a\) has the id 7 at step 1; allowed are 0 to 6"):
            list(loader)
        with pytest.raises(InputError, match=r"text [01] has the id 7 at step"):
            list(self.on_demand(num_ids=7))

    def test_rows_on_demand_stay_where_they_are(self):
        with pytest.raises(TypeError, match="are not moved"):
            self.on_demand().to("meta")


def test_to_moves_what_the_batches_are_cut_from():
    loader = batches(shuffle_seed=7)
    assert loader.to("meta") is loader
    assert loader.ids.device.type == loader.labels.device.type == "meta"


@pytest.mark.gpu
def test_batches_on_a_gpu():
    if not torch.cuda.is_available():
        pytest.skip("lacks a CUDA device")
    on_gpu = batches(shuffle_seed=7).to("cuda")
    assert next(iter(on_gpu)).ids.device.type == "cuda"
    on_gpu.sampler.set_epoch(0)
    assert labels(on_gpu) == labels(batches(shuffle_seed=7))
