import math

import pytest
import torch
from support.trainers import quiet_trainer
from torch.nn import functional as F
from torchmetrics.functional.classification import binary_accuracy

from seqclass.classifier import TextClassifier
from seqclass.data import IMDBDataModule
from seqclass.errors import InputError
from seqclass.evaluation.attribution import word_importance
from seqclass.models import StackOptions
from seqclass.optim import KerasAdam
from seqclass.training import SequenceClassifier, new_classifier

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")

SIZES = {"num_embeddings": 50, "num_classes": 2, "embedding_dim": 4, "hidden_size": 3}


def nothing():
    """Data that are not there."""
    return IMDBDataModule(path="nowhere")


def small(stack="lstm", *, sizes=SIZES, **options):
    """A module that trains a small classifier of bare ids."""
    return SequenceClassifier(TextClassifier(StackOptions(stack=stack, **sizes)), **options)


class TestTraining:
    def test_learns(self, trained):
        trainer, _, _ = trained
        assert trainer.callback_metrics["val_acc"] > 0.9
        assert trainer.callback_metrics["train_acc"] > 0.8

    def test_logs_the_six_metrics(self, trained):
        trainer, classifier, data = trained
        assert set(trainer.callback_metrics) == {"train_loss", "train_acc", "val_loss", "val_acc"}
        (tested,) = quiet_trainer().test(classifier, data, verbose=False)
        assert set(tested) == {"test_loss", "test_acc"}

    def test_sizes_come_from_the_data(self, trained):
        _, module, data = trained
        assert module.classifier.options.num_embeddings == data.pipeline.num_ids == 5000
        assert module.classifier.options.num_classes == 2
        assert module.classifier.label_names == ("neg", "pos")

    def test_metrics_are_exact_over_the_samples_also_with_a_smaller_last_batch(self, trained, easy_reviews, tmp_path):
        _, classifier, _ = trained
        # 90 texts in batches of 40: the last one has 10.
        data = IMDBDataModule(path=str(easy_reviews), maxlen=24, eval_batch_size=40, cache_dir=str(tmp_path))
        (tested,) = quiet_trainer().test(classifier, data, verbose=False)
        batches = list(data.test_dataloader())
        assert [len(batch.labels) for batch in batches] == [40, 40, 10]
        with torch.no_grad():
            logits = torch.cat([classifier(batch.ids) for batch in batches])
        labels = torch.cat([batch.labels for batch in batches])
        assert tested["test_acc"] == pytest.approx(binary_accuracy(logits.sigmoid(), labels).item())
        assert tested["test_loss"] == pytest.approx(F.binary_cross_entropy_with_logits(logits, labels.float()).item())

    def test_training_loss_is_the_running_mean_that_keras_prints(self, easy_reviews, tmp_path):
        data = IMDBDataModule(path=str(easy_reviews), maxlen=24, batch_size=48, seed=1, cache_dir=str(tmp_path))
        classifier = new_classifier(data, stack="lstm", hidden_size=4, embedding_dim=4)
        seen = []
        step = classifier.training_step

        def remember(batch, batch_idx):
            loss = step(batch, batch_idx)
            seen.append((loss.item(), len(batch.labels)))
            return loss

        classifier.training_step = remember
        trainer = quiet_trainer(max_epochs=1, limit_val_batches=0)
        trainer.fit(classifier, data)
        assert [size for _, size in seen] == [48] * 8 + [16]
        mean = sum(loss * size for loss, size in seen) / 400
        assert trainer.callback_metrics["train_loss"].item() == pytest.approx(mean, rel=1e-6)

    def test_runs_repeat(self, easy_reviews, tmp_path):
        def run():
            torch.manual_seed(3)
            data = IMDBDataModule(path=str(easy_reviews), maxlen=24, cache_dir=str(tmp_path))
            classifier = new_classifier(data, stack="lstm_gate_dropout", hidden_size=4, embedding_dim=4)
            trainer = quiet_trainer(max_epochs=1, deterministic=True)
            trainer.fit(classifier, data)
            return trainer.callback_metrics

        assert run() == run()

    def test_each_process_draws_random_masks_of_its_own(self, monkeypatch):
        classifier = small()

        def drawn(rank):
            monkeypatch.setattr(SequenceClassifier, "global_rank", rank)
            torch.manual_seed(7)
            classifier.on_train_start()
            return torch.rand(3).tolist()

        assert len({tuple(drawn(rank)) for rank in range(4)}) == 4
        assert drawn(2) == drawn(2)
        first = drawn(0)
        torch.manual_seed(7)
        assert first == torch.rand(3).tolist(), "the first process, or the only one, goes on as it began"

    def test_several_classes(self):
        classifier = small("cnn_lstm", sizes={**SIZES, "num_classes": 3})
        logits = classifier(torch.randint(1, 50, (5, 12)))
        assert logits.shape == (5, 3)
        labels = torch.tensor([0, 1, 2, 2, 1])
        assert classifier.loss(logits, labels).item() == pytest.approx(F.cross_entropy(logits, labels).item())
        _, seen = classifier.predict_step((torch.ones(2, 3, dtype=torch.long), labels[:2]), 0)
        assert seen.sum().item() == pytest.approx(1)


class TestLoss:
    def test_class_weights_weigh_each_sample_as_its_class(self):
        classifier = small(class_weights=[1.0, 3.0])
        logits, labels = torch.tensor([0.3, -0.2, 1.0]), torch.tensor([0, 1, 1])
        each = F.binary_cross_entropy_with_logits(logits, labels.float(), reduction="none")
        expected = (each[0] + 3 * each[1] + 3 * each[2]) / 7
        assert classifier.loss(logits, labels).item() == pytest.approx(expected.item())

    @pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [1.0, 1.0, 1.0]])
    def test_class_weights_that_do_not_fit(self, weights):
        with pytest.raises(InputError, match=r"class_weights=.* 2 numbers from 0 on"):
            small(class_weights=weights)

    def test_extreme_logits_have_a_finite_loss(self):
        classifier = small()
        loss = classifier.loss(torch.tensor([1e4, -1e4]), torch.tensor([0, 1]))
        assert math.isfinite(loss)


class TestOptions:
    def test_default_optimizer_is_keras_adam(self):
        optimizer = small().configure_optimizers()
        assert isinstance(optimizer, KerasAdam)
        assert optimizer.defaults == {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8}

    def test_optimizer_and_scheduler_of_ones_own(self):
        classifier = small(
            optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.5),
            lr_scheduler=lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 1),
            lr_scheduler_interval="step",
        )
        chosen = classifier.configure_optimizers()
        assert isinstance(chosen["optimizer"], torch.optim.SGD)
        assert isinstance(chosen["lr_scheduler"]["scheduler"], torch.optim.lr_scheduler.StepLR)
        assert chosen["lr_scheduler"]["interval"] == "step"

    def test_a_learning_rate_in_place_of_the_optimizers(self):
        optimizer = small(learning_rate=0.25).configure_optimizers()
        assert [group["lr"] for group in optimizer.param_groups] == [0.25]

    def test_option_that_the_stack_lacks(self):
        with pytest.raises(ValueError, match="stack 'lstm' has no option 'recurrent_dropout'"):
            new_classifier(nothing(), stack="lstm", recurrent_dropout=0.1)

    def test_wrong_option_is_reported_before_the_data_are_read(self):
        with pytest.raises(ValueError, match=r"dropout is 1\.5; allowed are probabilities from 0 to 1"):
            new_classifier(nothing(), stack="lstm_dropout", dropout=1.5)

    @pytest.mark.parametrize("size", ["num_embeddings", "num_classes", "embedding_dim", "hidden_size"])
    def test_so_is_a_size_that_is_none(self, size):
        with pytest.raises(ValueError, match=f"{size}( is |=)0"):
            new_classifier(nothing(), stack="lstm", **{size: 0})


class TestFit:
    def test_too_few_rows(self, easy_reviews, tmp_path):
        data = IMDBDataModule(path=str(easy_reviews), maxlen=24, cache_dir=str(tmp_path))
        with pytest.raises(InputError, match="5000 ids, but num_embeddings=10"):
            new_classifier(data, stack="lstm", num_embeddings=10)

    def test_padding_behind_the_text_needs_a_mask(self, easy_reviews, tmp_path):
        def fit(**options):
            data = IMDBDataModule(path=str(easy_reviews), maxlen=24, padding="post", cache_dir=str(tmp_path))
            classifier = new_classifier(data, stack="lstm", embedding_dim=4, hidden_size=4, **options)
            trainer = quiet_trainer(max_epochs=1)
            trainer.fit(classifier, data)
            return trainer

        with pytest.raises(InputError, match="padding='post' without mask_padding"):
            fit()
        assert "val_acc" in fit(mask_padding=True).callback_metrics

    def test_data_encoded_in_another_way(self, trained, easy_reviews, tmp_path):
        _, classifier, _ = trained
        data = IMDBDataModule(path=str(easy_reviews), maxlen=20, cache_dir=str(tmp_path))
        with pytest.raises(InputError, match="encoded in another way"):
            quiet_trainer().test(classifier, data, verbose=False)
        data.use_pipeline(classifier.classifier.pipeline)
        assert quiet_trainer().test(classifier, data, verbose=False)


OPTIONS = [
    {"stack": "lstm", "num_layers": 2},
    {"stack": "lstm", "bidirectional": True},
    {"stack": "lstm", "cell": "gru", "mask_padding": True},
    {"stack": "lstm_gate_dropout", "cell": "gru", "pooling": "max"},
    {"stack": "lstm_dropout", "num_layers": 2, "bidirectional": True, "pooling": "mean", "dropout": 0.1},
    {"stack": "cnn_lstm", "kernel_size": [3, 4, 5], "channels": 4, "pooling": "max"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(map(str, options.values())))
def test_every_option_from_training_to_raw_text(options, easy_reviews, tmp_path):
    torch.manual_seed(6)
    data = IMDBDataModule(path=str(easy_reviews), maxlen=24, batch_size=16, seed=1, cache_dir=str(tmp_path / "cache"))
    module = new_classifier(
        data, **options, hidden_size=8, embedding_dim=8, optimizer=lambda parameters: KerasAdam(parameters, lr=0.03)
    )
    trainer = quiet_trainer(max_epochs=5)
    trainer.fit(module, data)
    assert trainer.callback_metrics["val_acc"] > 0.8
    trainer.save_checkpoint(tmp_path / "model.ckpt")

    loaded = TextClassifier.load(tmp_path / "model.ckpt")
    assert {name: loaded.options.values()[name] for name in options} == options
    texts = ["a wonderful, moving film", "an awful, boring film"]
    good, bad = loaded.classify(texts)
    assert (good.labels, bad.labels) == (("pos",), ("neg",))
    assert loaded.classify(texts) == module.classifier.classify(texts)
    importance = dict(word_importance(loaded, "the awful film", "neg"))
    assert list(importance) == ["the", "awful", "film"]
    assert importance["awful"] > 0
