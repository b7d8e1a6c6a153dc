"""Steps that are recorded and repeated: with a recorder that runs on a CPU, and the real one where a GPU is."""

import copy

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import GradientAccumulationScheduler
from lightning.pytorch.strategies import SingleDeviceStrategy
from support.trainers import fast_adam, quiet_trainer
from torch.nn.functional import cross_entropy

from seqclass.classifier import TextClassifier
from seqclass.data import Batches
from seqclass.errors import InputError
from seqclass.models import StackOptions
from seqclass.nn import LSTM
from seqclass.training import SequenceClassifier, sequence_classifier
from seqclass.training.cuda_graphs import GraphCaptureWarning, GraphedStep, check_recordable


class Recorder:
    """Stands for a CUDA graph: repeats a function, whose outputs and gradients come out at the same addresses."""

    def __init__(self, parameters):
        self.parameters, self.recorded, self.replayed = list(parameters), 0, 0

    def __call__(self, run):
        before = [parameter.grad for parameter in self.parameters]
        outputs = run()
        trained = [parameter for parameter in self.parameters if parameter.requires_grad]
        gradients = [parameter.grad for parameter in trained]
        for number in (*outputs, *gradients):
            number.fill_(float("nan") if number.is_floating_point() else -1)  # recording computes nothing
        self.recorded += 1

        def replay():
            self.replayed += 1
            for number, new in zip(outputs, run(), strict=True):
                number.copy_(new)
            for number, parameter in zip(gradients, trained, strict=True):
                number.copy_(parameter.grad)
            for parameter, gradient in zip(self.parameters, before, strict=True):
                parameter.grad = gradient  # a graph knows of no attributes

        return outputs, replay


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.linear = LSTM(3, 4), torch.nn.Linear(4, 2)

    def forward(self, inputs):
        return self.linear(self.lstm(inputs))


def compute(model):
    def step(inputs, labels):
        logits = model(inputs)
        return cross_entropy(logits, labels), logits

    return step


def batches(sizes, device="cpu"):
    generator = torch.Generator().manual_seed(0)
    return [
        (torch.randn(size, 5, 3, generator=generator).to(device),
         torch.randint(0, 2, (size,), generator=generator).to(device))
        for size in sizes
    ]  # fmt: skip


def trained(model, step, given):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    results = []
    for batch in given:
        results.append([tensor.clone() for tensor in step(*batch)])
        optimizer.step()
        optimizer.zero_grad()
    return results


def eager(model):
    def step(*batch):
        loss, logits = compute(model)(*batch)
        loss.backward()
        return loss.detach(), logits.detach()

    return step


@pytest.fixture
def pair():
    torch.manual_seed(0)
    model = Model()
    return model, copy.deepcopy(model)


def test_training_by_graphs_is_training(pair):
    model, other = pair
    recorder = Recorder(model.parameters())
    graphed = GraphedStep(compute(model), model.parameters(), warm_up=2, capture=recorder)
    given = batches([6, 6, 6, 6, 6, 2, 6, 6])
    ours, theirs = trained(model, graphed, given), trained(other, eager(other), given)
    for left, right in zip(ours, theirs, strict=True):
        assert all(map(torch.equal, left, right))
    assert all(map(torch.equal, model.parameters(), other.parameters()))
    # The first two of six rows and the batch of two rows ran as they are.
    assert (recorder.recorded, recorder.replayed, graphed.graphs) == (1, 5, 1)


def test_each_shape_has_its_graph_up_to_a_number(pair):
    model, other = pair
    recorder = Recorder(model.parameters())
    graphed = GraphedStep(compute(model), model.parameters(), warm_up=1, max_graphs=2, capture=recorder)
    given = batches([6, 2, 4, 6, 2, 4, 6, 2, 4])
    ours, theirs = trained(model, graphed, given), trained(other, eager(other), given)
    assert all(torch.equal(*pair) for both in zip(ours, theirs, strict=True) for pair in zip(*both, strict=True))
    assert (recorder.recorded, recorder.replayed) == (2, 4)


def test_outputs_outlive_the_next_step_and_inputs_are_not_kept(pair):
    model, _ = pair
    graphed = GraphedStep(compute(model), model.parameters(), warm_up=0, capture=Recorder(model.parameters()))
    first, second = batches([6, 6])
    loss, _ = graphed(*first)
    kept = loss.clone()
    first[0].zero_()
    graphed(*second)
    assert torch.equal(loss, kept)
    assert not loss.requires_grad


def test_gradients_that_were_taken_away_come_back(pair):
    model, _ = pair
    graphed = GraphedStep(compute(model), model.parameters(), warm_up=1, capture=Recorder(model.parameters()))
    for batch in batches([6, 6]):  # without a graph, and with one
        graphed(*batch)
        gradients = [parameter.grad.clone() for parameter in model.parameters()]
        model.zero_grad()
        graphed.attach_gradients()
        assert all(
            torch.equal(parameter.grad, kept) for parameter, kept in zip(model.parameters(), gradients, strict=True)
        )


def test_what_cannot_be_recorded_runs_as_it_is_and_says_so_once(pair):
    model, other = pair

    def refuse(run):
        raise RuntimeError("operation not permitted when stream is capturing")

    graphed = GraphedStep(compute(model), model.parameters(), warm_up=1, capture=refuse)
    given = batches([6, 6, 6, 6])
    with pytest.warns(GraphCaptureWarning, match="no CUDA graph of this step: operation not permitted") as warned:
        ours = trained(model, graphed, given)
    assert len(warned) == 1
    theirs = trained(other, eager(other), given)
    assert all(torch.equal(*pair) for both in zip(ours, theirs, strict=True) for pair in zip(*both, strict=True))


@pytest.fixture
def recorder(monkeypatch):
    """A training step on the CPU is recorded as one on a GPU would be; what has recorded it."""
    made = []

    def graphed(compute, parameters):
        made.append(Recorder(parameters))
        return GraphedStep(compute, made[-1].parameters, warm_up=2, capture=made[-1])

    monkeypatch.setattr(sequence_classifier, "GraphedStep", graphed)
    monkeypatch.setattr(sequence_classifier, "check_recordable", lambda trainer: None)
    return made


def fitted(*, cuda_graph, stack="lstm", **options):
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, 20, (44, 6), generator=generator)
    labels = (ids == 3).any(dim=1).long()
    torch.manual_seed(1)
    sizes = {"num_embeddings": 20, "embedding_dim": 4, "hidden_size": 5, "num_classes": 2}
    classifier = TextClassifier(StackOptions(stack=stack, **sizes))
    module = SequenceClassifier(classifier, optimizer=fast_adam, cuda_graph=cuda_graph, **options)
    trainer = quiet_trainer(max_epochs=3, gradient_clip_val=0.1)
    texts = Batches(ids, labels, num_ids=20, batch_size=8, shuffle_seed=7)
    trainer.fit(module, texts, Batches(ids, labels, num_ids=20, batch_size=44))
    return module, trainer.callback_metrics


@pytest.mark.parametrize(
    "options",
    [{}, {"class_weights": [1.0, 3.0]}, {"freeze_embedding": True}, {"stack": "cnn_lstm"}],
    ids=["plain", "class_weights", "freeze_embedding", "cnn_lstm"],
)
def test_the_option_trains_as_without_it(recorder, options):
    plain, expected = fitted(cuda_graph=False, **options)
    assert recorder == []
    graphed, found = fitted(cuda_graph=True, **options)
    assert all(map(torch.equal, plain.parameters(), graphed.parameters()))
    assert {name: float(value) for name, value in found.items()} == {
        name: float(value) for name, value in expected.items()
    }
    # Five batches of 8 an epoch, two of which warm up; the last one of 4 is recorded in its third epoch.
    assert [(each.recorded, each.replayed) for each in recorder] == [(2, 14)]
    assert graphed._graphed is None, "the graphs' memory is given back"


@pytest.fixture
def on_a_gpu(monkeypatch):
    """Trainers say that they train on a GPU, which this machine need not have."""
    monkeypatch.setattr(SingleDeviceStrategy, "root_device", torch.device("cuda"))


def test_a_cpu_is_refused_before_anything_is_trained():
    with pytest.raises(InputError, match="cuda_graph needs a CUDA GPU, and this trains on 'cpu'"):
        fitted(cuda_graph=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "bf16-mixed"}, r"--trainer\.precision bf16-mixed; allowed are .*: 32-true"),
        ({"accumulate_grad_batches": 4}, r"accumulate_grad_batches \(it is 4\)"),
        (
            {"callbacks": [GradientAccumulationScheduler({0: 1, 2: 4})]},
            r"accumulate_grad_batches \(it is a GradientAccumulationScheduler\)",
        ),
    ],
    ids=["mixed precision", "accumulation", "accumulation by schedule"],
)
def test_settings_that_a_graph_cannot_follow_are_refused(options, message, on_a_gpu):
    with pytest.raises(InputError, match=f"cuda_graph does not go with .*{message}"):
        check_recordable(quiet_trainer(**options))


def test_several_processes_are_refused(monkeypatch, on_a_gpu):
    trainer = quiet_trainer()
    monkeypatch.setattr(Trainer, "world_size", 2)
    with pytest.raises(InputError, match="cuda_graph goes with one process, not with 2"):
        check_recordable(trainer)


@pytest.mark.parametrize("precision", ["32-true", "bf16-true"])
def test_what_a_graph_can_follow_is_not_refused(precision, on_a_gpu):
    check_recordable(quiet_trainer(precision=precision, gradient_clip_val=1.0))


def test_the_other_gpus_are_refused(monkeypatch, on_a_gpu):
    monkeypatch.setattr(torch.version, "hip", "6.4")
    with pytest.raises(InputError, match="this trains on 'rocm'"):
        check_recordable(quiet_trainer())


@pytest.mark.gpu
@pytest.mark.parametrize("kernel", ["builtin", "triton"])
def test_on_a_gpu(kernel):
    if not torch.cuda.is_available():
        pytest.skip("lacks a CUDA device")
    torch.manual_seed(0)
    model = Model().cuda()
    model.lstm.kernel = kernel
    other = copy.deepcopy(model)
    graphed = GraphedStep(compute(model), model.parameters(), warm_up=2)
    given = batches([6] * 6, "cuda")
    ours, theirs = trained(model, graphed, given), trained(other, eager(other), given)
    assert graphed.graphs == 1
    for left, right in zip(ours, theirs, strict=True):
        torch.testing.assert_close(left, right, rtol=1e-5, atol=1e-6)
