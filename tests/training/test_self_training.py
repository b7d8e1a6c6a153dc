"""A student of a trained model that has labelled texts without labels."""

import csv
import random
from pathlib import Path

import pytest
import torch
from support.trainers import fast_adam, quiet_trainer

from seqclass.classifier import TextClassifier
from seqclass.cli import main
from seqclass.data import TextDataModule
from seqclass.errors import InputError
from seqclass.training import new_classifier
from seqclass.training.self_training import confidence, ngram_targets

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")

SMALL = ("--data.num_words", "250", "--model.embedding_dim", "8")
PLAIN = ("film", "story", "scene", "actor")
_LETTERS = random.Random(0)
WORDS = [["".join(_LETTERS.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(60)] for _ in range(3)]
"""Of each class; nothing in their spelling tells which."""


def write(path, count, *, classes=2, seed=0, label=True):
    """Texts with some of the 60 words of their class each, so that 30 texts show few of them."""
    draw = random.Random(seed)
    with Path(path).open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"] if label else ["text"])
        for number in range(count):
            kind = number % classes
            words = (
                draw.choices(PLAIN, k=3) + draw.choices(WORDS[kind], k=4) + draw.choices(WORDS[number // 7 % classes])
            )
            draw.shuffle(words)
            rows.writerow([" ".join(words), f"class {kind}"] if label else [" ".join(words)])
    return str(path)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))


def fit(classes, *, name="model.ckpt", epochs=6, unlabelled=None, **options):
    """Train on 30 texts and return the figures of 400 others."""
    torch.manual_seed(1)
    train, test = write("few.csv", 30, classes=classes), write("test.csv", 400, classes=classes, seed=1)
    data = TextDataModule(train=train, test=test, validation="test", batch_size=10, seed=1, unlabelled=unlabelled)
    module = new_classifier(data, stack="pooled", hidden_size=8, optimizer=fast_adam, **options)
    trainer = quiet_trainer(max_epochs=epochs)
    trainer.fit(module, data)
    module.classifier.save(name)
    return trainer.test(module, datamodule=data, verbose=False)[0]


@pytest.mark.parametrize("classes", [2, 3])
def test_more_is_right_than_of_the_teacher(classes):
    write("more.csv", 600, classes=classes, seed=2, label=False)
    assert main(["pretrain", "--data.train", "more.csv", "--out", "v.safetensors", *SMALL]) == 0
    teacher = fit(classes, pretrained="v.safetensors")
    student = fit(classes, pretrained="v.safetensors", teacher="model.ckpt", unlabelled="more.csv", name="student.ckpt")
    assert 1 - student["test_acc"] < (1 - teacher["test_acc"]) / 2  # more than half of the mistakes are gone
    assert student["test_acc_ngrams"] > teacher["test_acc_ngrams"] + 0.03


def test_soft_labels_of_several_classes_become_labels_with_weights():
    shares = torch.tensor([[0.2, 0.8], [0.5, 0.5], [1.0, 0.0]])
    labels, weights = ngram_targets(shares, multi_label=False)
    assert labels.tolist() == [1, 0, 0]
    torch.testing.assert_close(weights, torch.tensor([0.6, 0.0, 1.0]))
    third = torch.full((1, 3), 1 / 3)
    torch.testing.assert_close(confidence(third, multi_label=False), torch.zeros(1))
    torch.testing.assert_close(confidence(torch.tensor([[0.5, 0.25, 0.25]]), multi_label=False), torch.tensor([0.25]))


def test_soft_labels_of_any_number_of_labels():
    labels, weights = ngram_targets(torch.tensor([[0.9, 0.7], [0.1, 0.5]]), multi_label=True)
    assert labels.tolist() == [[1, 1], [0, 1]]
    torch.testing.assert_close(weights, torch.tensor([0.6, 0.4]))


def test_a_teacher_with_other_words_and_another_order_of_classes():
    """It reads the raw texts; its answers come in the order of the student's classes."""
    fit(2, epochs=1)
    teacher = TextClassifier.load("model.ckpt")
    turned = TextClassifier(teacher.options, pipeline=teacher.pipeline, label_names=teacher.label_names[::-1])
    turned.load_state_dict(teacher.state_dict())
    turned.save("turned.ckpt")
    texts = write("more.csv", 20, seed=2, label=False)
    shares = {}
    for name in ("model.ckpt", "turned.ckpt"):
        data = TextDataModule(train=write("others.csv", 40, seed=3), unlabelled=texts)
        new_classifier(data, stack="pooled", hidden_size=4, teacher=name)
        assert data.pipeline != teacher.pipeline
        shares[name] = torch.from_numpy(data.soft_labelled.shares)
    answers = teacher.classify(Path(texts).read_text().splitlines()[1:])
    expected = torch.tensor([[answer.probabilities[f"class {kind}"] for kind in range(2)] for answer in answers])
    torch.testing.assert_close(shares["model.ckpt"], expected)
    torch.testing.assert_close(shares["turned.ckpt"], expected.flip(1))


def test_several_labels_a_text():
    rows = [("film w0", "a"), ("story w1", "b"), ("film w0 w1", "a;b"), ("story", "")] * 8
    with Path("several.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    Path("more.csv").write_text("text\nw0 w0 w1\nfilm w0 film\nw1 story story\n")
    options = {"stack": "pooled", "hidden_size": 4, "optimizer": fast_adam}

    def data(**more):
        return TextDataModule(train="several.csv", label_separator=";", batch_size=8, seed=1, **more)

    first = data()
    module = new_classifier(first, **options)
    quiet_trainer(max_epochs=20).fit(module, first)
    module.classifier.save("model.ckpt")
    second = data(unlabelled="more.csv")
    student = new_classifier(second, teacher="model.ckpt", **options)
    assert (second.soft_labelled.shares >= 0.5).astype(int).tolist() == [[1, 1], [1, 0], [0, 1]]
    assert second.train_dataloader().labels.shape == (second.train_size + 3, 2)
    quiet_trainer(max_epochs=2).fit(student, second)


def test_from_the_command_line_and_on_to_another_epoch():
    few, more = write("few.csv", 60), write("more.csv", 60, seed=2, label=False)
    small = [
        "--data.train",
        few,
        "--trainer.accelerator",
        "cpu",
        "--model.hidden_size",
        "4",
        "--trainer.max_steps",
        "-1",
    ]
    assert main(["fit", *small, "--trainer.max_epochs", "1", "--run_name", "teacher"]) == 0
    last = "runs/teacher/1/checkpoints/last.ckpt"
    student = [*small, "--run_name", "student", "--data.unlabelled", f'["{more}"]', "--model.teacher", last]
    assert main(["fit", *student, "--trainer.max_epochs", "1"]) == 0
    saved = torch.load("runs/student/1/checkpoints/last.ckpt", weights_only=True)
    assert saved["global_step"] == 2  # 45 texts with labels and 60 without, 64 in a batch
    again = ["--ckpt_path", "runs/student/1/checkpoints/last.ckpt"]
    assert main(["fit", *student, "--trainer.max_epochs", "2", *again]) == 0
    saved = torch.load("runs/student/2/checkpoints/last.ckpt", weights_only=True)
    assert (saved["epoch"], saved["global_step"]) == (1, 4)
    assert main(["test", "--config", "runs/student/1/config.yaml", *again]) == 0  # the teacher is not asked for


class TestErrors:
    @pytest.fixture
    def data(self):
        return TextDataModule(train=write("few.csv", 40), unlabelled=write("more.csv", 9, seed=2, label=False))

    def test_unused_or_missing_texts(self, data):
        with pytest.raises(InputError, match=r"data.unlabelled=\['more.csv'\] is without effect; set model.teacher"):
            new_classifier(data, stack="pooled")
        with pytest.raises(InputError, match=r"teacher='a.ckpt' labels texts without labels, but there are none"):
            new_classifier(TextDataModule(train="few.csv"), stack="pooled", teacher="a.ckpt")

    def test_another_teacher(self, data, checkpoint):
        with pytest.raises(InputError, match=r"was trained for .*, the data have .class 0., .class 1."):
            new_classifier(data, stack="pooled", teacher=str(checkpoint))

    def test_soft_labels_that_do_not_fit(self, data):
        data.prepare_data()
        data.setup()
        with pytest.raises(InputError, match=r"have the shape \(3, 2\); \(9, 2\) are texts and classes"):
            data.unlabelled.label(torch.zeros(3, 2).numpy())
        with pytest.raises(InputError, match="numbers outside 0 to 1"):
            data.unlabelled.label(torch.full((9, 2), 1.5).numpy())
