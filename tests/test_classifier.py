import math
import pickle

import pytest
import torch
from support.trainers import quiet_trainer
from torch.nn import functional as F
from torchmetrics.functional.classification import binary_accuracy

from seqclass.classifier import SequenceClassifier, probabilities, read_checkpoint
from seqclass.data import IMDBDataModule
from seqclass.errors import InputError
from seqclass.evaluation.attribution import word_importance
from seqclass.optim import KerasAdam

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")

SIZES = {"num_embeddings": 50, "num_classes": 2, "embedding_dim": 4, "hidden_size": 3}


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
        _, classifier, data = trained
        assert classifier.hparams["num_embeddings"] == data.pipeline.num_ids == 5000
        assert classifier.hparams["num_classes"] == 2
        assert classifier.label_names == ("neg", "pos")

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
        classifier = SequenceClassifier("lstm", hidden_size=4, embedding_dim=4)
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
            classifier = SequenceClassifier("lstm_gate_dropout", hidden_size=4, embedding_dim=4)
            trainer = quiet_trainer(max_epochs=1, deterministic=True)
            trainer.fit(classifier, data)
            return trainer.callback_metrics

        assert run() == run()

    def test_each_process_draws_random_masks_of_its_own(self, monkeypatch):
        classifier = SequenceClassifier("lstm", **SIZES)

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
        classifier = SequenceClassifier("cnn_lstm", **{**SIZES, "num_classes": 3})
        logits = classifier(torch.randint(1, 50, (5, 12)))
        assert logits.shape == (5, 3)
        labels = torch.tensor([0, 1, 2, 2, 1])
        assert classifier.loss(logits, labels).item() == pytest.approx(F.cross_entropy(logits, labels).item())
        assert torch.equal(probabilities(logits).sum(dim=1).round(decimals=5), torch.ones(5))


class TestLoss:
    def test_class_weights_weigh_each_sample_as_its_class(self):
        classifier = SequenceClassifier("lstm", **SIZES, class_weights=[1.0, 3.0])
        logits, labels = torch.tensor([0.3, -0.2, 1.0]), torch.tensor([0, 1, 1])
        each = F.binary_cross_entropy_with_logits(logits, labels.float(), reduction="none")
        expected = (each[0] + 3 * each[1] + 3 * each[2]) / 7
        assert classifier.loss(logits, labels).item() == pytest.approx(expected.item())

    @pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [1.0, 1.0, 1.0]])
    def test_class_weights_that_do_not_fit(self, weights):
        with pytest.raises(InputError, match=r"class_weights=.* 2 numbers from 0 on"):
            SequenceClassifier("lstm", **SIZES, class_weights=weights)

    def test_extreme_logits_have_a_finite_loss(self):
        classifier = SequenceClassifier("lstm", **SIZES)
        loss = classifier.loss(torch.tensor([1e4, -1e4]), torch.tensor([0, 1]))
        assert math.isfinite(loss)

    def test_small_probabilities_keep_their_digits_on_both_sides(self):
        p = probabilities(torch.tensor([-30.0, 30.0], dtype=torch.float32))
        assert p[0, 1].item() == pytest.approx(math.exp(-30), rel=1e-5)
        assert p[1, 0].item() == pytest.approx(math.exp(-30), rel=1e-5)


class TestOptions:
    def test_default_optimizer_is_keras_adam(self):
        optimizer = SequenceClassifier("lstm", **SIZES).configure_optimizers()
        assert isinstance(optimizer, KerasAdam)
        assert optimizer.defaults == {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8}

    def test_optimizer_and_scheduler_of_ones_own(self):
        classifier = SequenceClassifier(
            "lstm",
            **SIZES,
            optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.5),
            lr_scheduler=lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 1),
            lr_scheduler_interval="step",
        )
        chosen = classifier.configure_optimizers()
        assert isinstance(chosen["optimizer"], torch.optim.SGD)
        assert isinstance(chosen["lr_scheduler"]["scheduler"], torch.optim.lr_scheduler.StepLR)
        assert chosen["lr_scheduler"]["interval"] == "step"

    def test_option_that_the_stack_lacks(self):
        with pytest.raises(ValueError, match="stack 'lstm' has no option 'recurrent_dropout'"):
            SequenceClassifier("lstm", recurrent_dropout=0.1)

    def test_wrong_option_is_reported_before_the_data_are_read(self):
        with pytest.raises(ValueError, match=r"dropout is 1.5; allowed are probabilities from 0 to 1"):
            SequenceClassifier("lstm_dropout", dropout=1.5)

    @pytest.mark.parametrize("size", ["num_embeddings", "num_classes", "embedding_dim", "hidden_size"])
    def test_so_is_a_size_that_is_none(self, size):
        with pytest.raises(ValueError, match=f"{size} is 0; allowed are whole numbers from 1 on"):
            SequenceClassifier("lstm", **{size: 0})

    def test_bare_use_needs_sizes(self):
        with pytest.raises(RuntimeError, match="num_embeddings and num_classes"):
            SequenceClassifier("lstm")(torch.zeros(1, 3, dtype=torch.long))


class TestFit:
    def test_too_few_rows(self, easy_reviews, tmp_path):
        data = IMDBDataModule(path=str(easy_reviews), maxlen=24, cache_dir=str(tmp_path))
        with pytest.raises(InputError, match="5000 ids, but num_embeddings=10"):
            quiet_trainer(max_epochs=1).fit(SequenceClassifier("lstm", num_embeddings=10), data)

    def test_padding_behind_the_text_needs_a_mask(self, easy_reviews, tmp_path):
        def fit(**options):
            data = IMDBDataModule(path=str(easy_reviews), maxlen=24, padding="post", cache_dir=str(tmp_path))
            classifier = SequenceClassifier("lstm", embedding_dim=4, hidden_size=4, **options)
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
        data.use_pipeline(classifier.pipeline)
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
    torch.manual_seed(3)
    data = IMDBDataModule(path=str(easy_reviews), maxlen=24, batch_size=16, seed=1, cache_dir=str(tmp_path / "cache"))
    classifier = SequenceClassifier(
        **options, hidden_size=8, embedding_dim=8, optimizer=lambda parameters: KerasAdam(parameters, lr=0.03)
    )
    trainer = quiet_trainer(max_epochs=3)
    trainer.fit(classifier, data)
    assert trainer.callback_metrics["val_acc"] > 0.8
    trainer.save_checkpoint(tmp_path / "model.ckpt")

    loaded = SequenceClassifier.load_from_checkpoint(tmp_path / "model.ckpt")
    assert {name: loaded.hparams[name] for name in options} == options
    texts = ["a wonderful, moving film", "an awful, boring film"]
    good, bad = loaded.classify(texts)
    assert (good.label, bad.label) == ("pos", "neg")
    assert loaded.classify(texts) == classifier.classify(texts)
    importance = dict(word_importance(loaded, "the awful film", "neg"))
    assert importance["awful"] == max(importance.values())


class TestCheckpoint:
    def test_holds_plain_values_only(self, checkpoint):
        content = torch.load(checkpoint, weights_only=True)
        assert content["seqclass"]["label_names"] == ["neg", "pos"]

    def test_classifies_raw_text_from_this_file_alone(self, checkpoint):
        assert [file.name for file in checkpoint.parent.iterdir()] == ["model.ckpt"]
        classifier = SequenceClassifier.load_from_checkpoint(checkpoint)
        good, bad = classifier.classify(["a wonderful, moving film", "an awful, boring film"])
        assert (good.label, bad.label) == ("pos", "neg")
        assert good.probability == good.probabilities["pos"] > 0.5
        assert sum(good.probabilities.values()) == pytest.approx(1)

    @pytest.mark.filterwarnings("ignore:.* hold no word that the model knows")
    def test_same_results_as_before_it_was_saved(self, trained, checkpoint):
        _, classifier, _ = trained
        texts = ["superb", "a dull story", "", "unknown words only"]
        loaded = SequenceClassifier.load_from_checkpoint(str(checkpoint))
        assert loaded.classify(texts) == classifier.classify(texts)

    @pytest.mark.filterwarnings("ignore:.* hold no word that the model knows")
    def test_results_do_not_depend_on_the_batch(self, checkpoint):
        classifier = SequenceClassifier.load_from_checkpoint(checkpoint)
        texts = ["superb film", "dull", "the " * 40 + "awful", ""]
        together = classifier.classify(texts)
        alone = [classifier.classify([text], batch_size=1)[0] for text in texts]
        for one, other in zip(together, alone, strict=True):
            # Sums of a few hundred float32 products in another order.
            assert one.probability == pytest.approx(other.probability, abs=1e-6)

    def test_another_kernel(self, checkpoint):
        classifier = SequenceClassifier.load_from_checkpoint(checkpoint, kernel="reference")
        assert classifier.stack.lstm.kernel == "reference"

    def test_classify_leaves_training_mode_as_it_was(self, checkpoint):
        classifier = SequenceClassifier.load_from_checkpoint(checkpoint).train()
        classifier.classify(["superb"])
        assert classifier.training

    def test_no_texts(self, checkpoint):
        assert SequenceClassifier.load_from_checkpoint(checkpoint).classify([]) == []

    def test_text_that_is_none(self, checkpoint):
        with pytest.raises(InputError, match=r"1.*int|int.*1"):
            SequenceClassifier.load_from_checkpoint(checkpoint).classify(["superb", 3])

    def test_missing_file(self, tmp_path):
        with pytest.raises(InputError, match=r"there is no checkpoint at .*nowhere.ckpt"):
            SequenceClassifier.load_from_checkpoint(tmp_path / "nowhere.ckpt")

    def test_file_of_another_kind(self, tmp_path):
        path = tmp_path / "text.ckpt"
        path.write_text("no weights here")
        with pytest.raises(InputError, match=r"text.ckpt is no checkpoint"):
            read_checkpoint(path)

    def test_cut_file(self, checkpoint, tmp_path):
        path = tmp_path / "cut.ckpt"
        path.write_bytes(checkpoint.read_bytes()[:-1000])
        with pytest.raises(InputError, match=r"cut.ckpt is no checkpoint"):
            read_checkpoint(path)

    def test_checkpoint_of_another_model(self, tmp_path):
        path = tmp_path / "other.ckpt"
        torch.save({"state_dict": {}}, path)
        with pytest.raises(InputError, match="no checkpoint of a SequenceClassifier"):
            read_checkpoint(path)

    def test_code_in_a_checkpoint_is_not_run(self, tmp_path):
        class Trap:
            def __reduce__(self):
                return (print, ("the trap has run",))

        path = tmp_path / "trap.ckpt"
        torch.save({"seqclass": Trap()}, path, pickle_module=pickle)
        with pytest.raises(InputError, match="more than the plain values"):
            read_checkpoint(path)

    def test_weights_that_do_not_fit(self, checkpoint, tmp_path):
        content = torch.load(checkpoint, weights_only=True)
        content["hyper_parameters"]["hidden_size"] = 9
        path = tmp_path / "wrong.ckpt"
        torch.save(content, path)
        with pytest.raises(InputError, match=r"wrong.ckpt does not describe a SequenceClassifier"):
            SequenceClassifier.load_from_checkpoint(path)

    def test_model_without_a_pipeline_says_so(self):
        with pytest.raises(InputError, match="no text pipeline"):
            SequenceClassifier("lstm", **SIZES).classify(["superb"])


def test_texts_that_say_nothing_get_one_answer_and_a_warning(checkpoint):
    classifier = SequenceClassifier.load_from_checkpoint(checkpoint)
    with pytest.warns(UserWarning, match="3 of 4 texts hold no word that the model knows.*; the first is ''"):
        said, *nothing = classifier.classify(["a wonderful film", "", "?!", "zzz qqq"])
    assert nothing[0] == nothing[1] == nothing[2]
    assert all(math.isfinite(result.probability) for result in (said, *nothing))
