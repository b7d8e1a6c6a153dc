import pytest
import torch
from support.trainers import quiet_trainer
from torch.utils.data import DataLoader, TensorDataset

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.models import StackOptions
from seqclass.training import SequenceClassifier
from seqclass.training.batch_checks import check_batch

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")

SIZES = {"num_embeddings": 5, "num_classes": 2, "embedding_dim": 2, "hidden_size": 2}


def module(**sizes):
    return SequenceClassifier(TextClassifier(StackOptions(**{**SIZES, **sizes})))


def loader(ids, labels):
    return DataLoader(TensorDataset(torch.tensor(ids), torch.tensor(labels)), batch_size=2)


def ids(*last):
    return [[1, 2, 3], [0, 4, 1], *last]


@pytest.mark.parametrize(
    ("given", "sizes", "message"),
    [
        # torchtext's labels are 1 and 2.
        ((ids(), [1, 2]), {}, "labels[1] in a batch of {} is 2; allowed are 0 to 1, 2 classes, counted from 0"),
        ((ids(), [0, -1]), {}, "labels[1] in a batch of {} is -1; allowed are 0 to 1"),
        ((ids(), [3, 0]), {"num_classes": 3}, "labels[0] in a batch of {} is 3; allowed are 0 to 2"),
        ((ids(), [0.0, 1.0]), {}, "the labels of {} are torch.float32 (2,); allowed for these ids is torch.int64 (2,)"),
        ((ids(), [[0], [1]]), {}, "the labels of {} are torch.int64 (2, 1); allowed for these ids is torch.int64 (2,)"),
        ((ids(), [[0, 2], [1, 0]]), {"multi_label": True}, "labels[0, 1] in a batch of {} is 2; allowed are 0 to 1"),
        ((ids(), [0, 1]), {"multi_label": True}, "the labels of {} are torch.int64 (2,); allowed for these ids is"),
        ((ids([2, 5, 0]), [0, 1, 0]), {}, "ids[0, 1] in a batch of {} is 5; allowed are 0 to 4, the rows of the"),
        (([[0.0], [1.0]], [0, 1]), {}, "the ids of {} are torch.float32 (2, 1); allowed is torch.int64 or torch.int32"),
    ],
)
def test_a_loader_of_ones_own(given, sizes, message):
    with pytest.raises(InputError) as raised:
        quiet_trainer(max_epochs=1).fit(module(**sizes), loader(*given))
    assert message.format("the training data") in str(raised.value)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (torch.zeros(2, 3), r"is a tensor of shape \(2, 3\); allowed is a pair"),
        ([torch.zeros(2, 3)], r"is a list of 1: a tensor of shape \(2, 3\); allowed"),
        ({"ids": torch.zeros(2, 3)}, "is a dict; allowed"),
        (
            (torch.zeros(2, 3), ["pos", "neg"]),
            r"is a tuple of 2: a tensor of shape \(2, 3\), a list of 2: a str,",
        ),
    ],
)
def test_what_is_no_batch(batch, message):
    with pytest.raises(InputError, match=f"a batch of the test data {message}"):
        check_batch(batch, num_embeddings=5, num_classes=2, multi_label=False, source="the test data")


def test_each_stage_is_named():
    bad, trainer = loader(ids(), [0, 7]), quiet_trainer(max_epochs=1)
    for run, name in ((trainer.validate, "validation"), (trainer.test, "test"), (trainer.predict, "test")):
        with pytest.raises(InputError, match=rf"labels\[1\] in a batch of the {name} data is 7"):
            run(module(), bad)


def test_ids_alone_are_predicted():
    classifier = module()
    numbers = torch.tensor(ids())
    (predicted,) = quiet_trainer().predict(classifier, DataLoader(numbers, batch_size=2))
    assert torch.equal(predicted, classifier.classifier.eval().probabilities(numbers))
    with pytest.raises(InputError, match=r"ids\[1, 2\] in a batch of the test data is 9; allowed are 0 to 4"):
        quiet_trainer().predict(classifier, DataLoader(torch.tensor([[0, 1, 2], [1, 2, 9]]), batch_size=2))


def test_good_labels_are_left_alone():
    quiet_trainer(max_epochs=1).fit(module(), loader(ids(), [0, 1]))
    several = module(multi_label=True)
    quiet_trainer(max_epochs=1).fit(several, loader(ids(), [[0, 1], [1, 1]]))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], r"have the shape \(2, 3\); allowed for these ids is \(2, 2\)"),
        ([[0.5, 0.5]], r"have the shape \(1, 2\); allowed for these ids is \(2, 2\)"),
        ([[0.5, 0.5], [1.5, -0.5]], "have numbers outside 0 to 1"),
        ([[0.5, 0.5], [float("nan"), 1.0]], "or that are not numbers"),
    ],
)
def test_soft_labels(labels, message):
    sizes = {"num_embeddings": 5, "num_classes": 2, "multi_label": False, "source": "the training data"}
    given = torch.tensor(ids())
    check_batch((given, torch.tensor([[0.5, 0.5], [1.0, 0.0]])), **sizes, soft=True)
    with pytest.raises(InputError, match=message):
        check_batch((given, torch.tensor(labels)), **sizes, soft=True)
    with pytest.raises(InputError, match=r"are torch.float32 \(\d, \d\); allowed for these ids is torch.int64 \(2,\)"):
        check_batch((given, torch.tensor(labels)), **sizes)
