"""A run cut off in the middle of an epoch goes on from its last checkpoint, and ends as if nothing had happened."""

import inspect

import pytest
import torch
from lightning.pytorch import Callback, Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from support.trainers import fast_adam, quiet_trainer

from seqclass.classifier import TextClassifier
from seqclass.data import IMDBDataModule
from seqclass.training import new_classifier

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")

# Lightning before 2.6 has no such option, and loads everything that a checkpoint holds.
SAFELY = {"weights_only": True} if "weights_only" in inspect.signature(Trainer.fit).parameters else {}


class Curve(Callback):
    """Notes the figures of each epoch, and interrupts one if asked to, as Ctrl-C does."""

    def __init__(self, interrupt=None):
        self.figures, self.interrupt = {}, interrupt

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if (trainer.current_epoch, batch_idx) == self.interrupt:
            raise KeyboardInterrupt

    def on_validation_end(self, trainer, pl_module):
        figures = {**pl_module.figures("train"), **pl_module.figures("val")}
        self.figures[trainer.current_epoch] = figures


@pytest.fixture
def fit(easy_reviews, tmp_path):
    def fit(*, interrupt=None, resume=None, **saving):
        seed_everything(7)
        data = IMDBDataModule(
            path=str(easy_reviews), maxlen=24, batch_size=16, validation=0.2, cache_dir=str(tmp_path / "cache")
        )
        classifier = new_classifier(data, stack="lstm", hidden_size=8, embedding_dim=8, optimizer=fast_adam)
        curve = Curve(interrupt)
        trainer = quiet_trainer(
            max_epochs=3,
            enable_checkpointing=True,
            callbacks=[curve, ModelCheckpoint(tmp_path / f"{interrupt}{resume is None}", save_last=True, **saving)],
        )
        try:
            trainer.fit(classifier, data, ckpt_path=resume, **SAFELY)
        except (KeyboardInterrupt, SystemExit):
            assert interrupt is not None
        return curve.figures, classifier, trainer.checkpoint_callback.last_model_path

    return fit


@pytest.mark.parametrize(
    ("saving", "place"),  # where the checkpoint was saved: epoch, and batches of it
    [({}, (0, 20)), ({"every_n_train_steps": 23}, (1, 3)), ({"every_n_train_steps": 7}, (1, 1))],
)
def test_the_last_checkpoint_resumes_to_the_same_curve(fit, saving, place):
    straight, whole, _ = fit()
    begun, _, checkpoint = fit(interrupt=(1, 7), **saving)
    assert list(begun) == [0]
    (loader,) = torch.load(checkpoint, weights_only=True)["loops"]["fit_loop"]["state_dict"]["combined_loader"]
    assert (loader["epoch"], loader["batches"]) == place
    TextClassifier.load(checkpoint)
    rest, resumed, _ = fit(resume=checkpoint)
    assert list(rest) == [1, 2]
    assert begun | rest == straight
    for name, parameter in whole.state_dict().items():
        assert torch.equal(parameter, resumed.state_dict()[name]), name
