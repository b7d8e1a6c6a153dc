"""The model is whole before the Trainer sees it: callbacks and tuners that look at its parameters find them."""

from pathlib import Path

import pytest
import torch
from lightning.pytorch import callbacks
from lightning.pytorch.callbacks import StochasticWeightAveraging
from lightning.pytorch.tuner import Tuner
from support.trainers import fast_adam, quiet_trainer

from seqclass.classifier import TextClassifier
from seqclass.cli import main
from seqclass.data import IMDBDataModule
from seqclass.training import new_classifier

CONFIG = Path(__file__).parents[2] / "configs" / "lstm.yaml"

needs_weight_averaging = pytest.mark.skipif(
    not hasattr(callbacks, "WeightAveraging"), reason="this Lightning has no WeightAveraging (2.6 has)"
)

pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning:lightning",
    "ignore:`isinstance.treespec",
    "ignore:The ``compute`` method of metric",  # of old torchmetrics, before the finder's first batch
)


@pytest.fixture
def build(easy_reviews, tmp_path):
    def build():
        torch.manual_seed(3)
        data = IMDBDataModule(path=str(easy_reviews), maxlen=24, batch_size=16, seed=1, cache_dir=str(tmp_path / "c"))
        return new_classifier(data, stack="lstm", hidden_size=8, embedding_dim=8, optimizer=fast_adam), data

    return build


def distance(one, other):
    return sum((one[name] - other[name]).abs().sum().item() for name in one)


def test_stochastic_weight_averaging_averages_all_parameters(build):
    module, data = build()
    averaging = StochasticWeightAveraging(swa_lrs=0.02, swa_epoch_start=1, annealing_epochs=1)
    trainer = quiet_trainer(max_epochs=3, callbacks=[averaging])
    trainer.fit(module, data)
    averaged = dict(averaging._average_model.named_parameters())
    assert averaged.keys() == dict(module.named_parameters()).keys()
    assert sum(parameter.numel() for parameter in averaged.values()) == 40_000 + (8 + 8 + 1) * 32 + 9
    plain, _ = build()
    quiet_trainer(max_epochs=3).fit(plain, data)
    assert distance(module.classifier.state_dict(), plain.classifier.state_dict()) > 1


@needs_weight_averaging
def test_weight_averaging_saves_the_average(build, tmp_path):
    module, data = build()
    begun = {name: value.clone() for name, value in module.classifier.state_dict().items()}
    # This average stays what it is first given: the weights behind the first step.
    trainer = quiet_trainer(max_epochs=2, callbacks=[callbacks.WeightAveraging(avg_fn=lambda averaged, *_: averaged)])
    trainer.fit(module, data)
    trainer.save_checkpoint(tmp_path / "averaged.ckpt")
    saved = TextClassifier.load(tmp_path / "averaged.ckpt").state_dict()
    plain, _ = build()
    quiet_trainer(max_epochs=2).fit(plain, data)
    assert saved.keys() == begun.keys()
    assert 0 < distance(saved, begun) < distance(plain.classifier.state_dict(), begun) / 3


@pytest.fixture
def fit(easy_reviews, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))

    def fit(*options):
        small = ["--data.path", str(easy_reviews), "--data.maxlen", "24", "--model.hidden_size", "8"]
        small += ["--model.embedding_dim", "8", "--trainer.accelerator", "cpu", "--trainer.max_epochs", "2"]
        assert main(["fit", "--config", str(CONFIG), *small, *options]) == 0
        return Path("runs/lstm/1")

    return fit


@needs_weight_averaging
def test_exponential_average_from_the_command_line(fit):
    callback = "--trainer.callbacks+=lightning.pytorch.callbacks.EMAWeightAveraging"
    run = fit("--model.optimizer.lr", "0.02", callback, "--trainer.callbacks.decay=0.5")
    content = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    averaged, current = content["state_dict"], content["current_model_state"]
    assert set(averaged) >= {"classifier.stack.embedding.weight", "classifier.stack.output.bias"}
    assert 0 < distance({name: averaged[name] for name in current if name in averaged}, current) < 100
    assert TextClassifier.load(run / "checkpoints" / "last.ckpt").classify(["superb"])


def test_learning_rate_finder(build):
    module, data = build()
    trainer = quiet_trainer(max_epochs=1, enable_checkpointing=False)
    found = Tuner(trainer).lr_find(module, datamodule=data, num_training=20)
    assert module.learning_rate == found.suggestion()
    assert module.configure_optimizers().param_groups[0]["lr"] == found.suggestion()


def test_batch_size_finder(build):
    module, data = build()
    trainer = quiet_trainer(max_epochs=1)
    found = Tuner(trainer).scale_batch_size(module, datamodule=data, mode="power", max_trials=2, init_val=20)
    assert found > 20
    assert data.batch_size == found
    assert len(data.train_dataloader()) == -(-400 // found)


def test_finders_from_the_command_line(fit):
    finder = "--trainer.callbacks+=lightning.pytorch.callbacks.LearningRateFinder"
    run = fit(finder, "--trainer.callbacks.num_training_steps=30")
    content = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    assert content["optimizer_states"][0]["param_groups"][0]["lr"] != 0.001
