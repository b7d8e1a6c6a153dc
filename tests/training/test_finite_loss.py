import re
from pathlib import Path

import pytest
import torch
from support.trainers import quiet_trainer

from seqclass.cli import main
from seqclass.errors import InputError
from seqclass.training import SequenceClassifier
from seqclass.training.finite_loss import STEPS_ON_A_GPU, check_training_loss

CONFIG = Path(__file__).parents[2] / "configs" / "cnn_lstm.yaml"

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")


@pytest.fixture
def fit(easy_reviews, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))

    def fit(*options):
        small = ["--data.path", str(easy_reviews), "--data.maxlen", "24", "--model.hidden_size", "8"]
        return main(["fit", "--config", str(CONFIG), *small, "--trainer.accelerator", "cpu", *options])

    return fit


@pytest.mark.parametrize(
    ("options", "causes"),
    [
        (["--model.optimizer.lr", "1e30"], ["a learning rate that is too high (it is 1e+30)", "gradient_clip_val 1"]),
        (["--trainer.precision", "16-true", "--data.batch_size", "1"], ["16-true", "use bf16-mixed", "(it is 0.001)"]),
    ],
)
def test_a_training_that_diverges_stops_and_says_why(fit, options, causes, capsys):
    assert fit(*options, "--trainer.max_epochs", "20") == 2
    told = capsys.readouterr().err
    (error,) = [line for line in told.splitlines() if line.startswith("seqclass: error: the loss is ")]
    assert re.search(r"the loss is (nan|inf) in step \d+ \(epoch \d+, batch \d+\): training has diverged", error)
    assert [cause for cause in causes if cause not in error] == []
    assert "Traceback" not in told
    assert not list(Path("runs").rglob("*.ckpt"))


def test_the_last_step_is_seen_by_the_validation(fit, capsys):
    assert fit("--model.optimizer.lr", "1e30", "--trainer.max_steps", "1") == 2
    assert "in the validation of epoch 1: training has diverged" in capsys.readouterr().err
    assert not list(Path("runs").rglob("*.ckpt"))


def test_clipping_is_not_suggested_to_who_has_it(fit, capsys):
    assert fit("--model.optimizer.lr", "1e30", "--trainer.gradient_clip_val", "1") == 2
    told = capsys.readouterr().err
    assert "training has diverged" in told
    assert "--trainer.gradient_clip_val" not in told


def test_a_gpu_is_asked_now_and_then(trained):
    trainer = trained[0]
    steps = trainer.fit_loop.epoch_loop.automatic_optimization.optim_progress.optimizer.step.total
    before = steps.completed

    class OnAGPU(torch.Tensor):
        device = torch.device("cuda")

    loss = torch.tensor(float("nan")).as_subclass(OnAGPU)
    try:
        for step in range(1, STEPS_ON_A_GPU):
            steps.completed = step - 1
            check_training_loss(loss, trainer)
        steps.completed = STEPS_ON_A_GPU - 1
        with pytest.raises(
            InputError, match=r"the loss is nan in step 50 \(.*\), or at most 49 steps before: training"
        ):
            check_training_loss(loss, trainer)
    finally:
        steps.completed = before


def test_the_search_for_a_rate_goes_beyond_what_is_finite(trained):
    from lightning.pytorch.tuner import Tuner

    _, module, data = trained
    twin = SequenceClassifier(module.classifier, learning_rate=1e-3)
    found = Tuner(quiet_trainer(max_epochs=1)).lr_find(
        twin, datamodule=data, min_lr=1e-4, max_lr=1e30, num_training=25, early_stop_threshold=None
    )
    assert len(found.results["loss"]) == 25
