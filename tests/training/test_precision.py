"""Training in Lightning's `bf16-mixed`, on whatever this processor has."""

import pytest
import torch
from support.trainers import fast_adam, quiet_trainer

from seqclass.data import IMDBDataModule
from seqclass.nn.autocast import casts_to_bfloat16
from seqclass.nn.kernels import compiled
from seqclass.optim import FusedAdam
from seqclass.training import new_classifier

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")


@pytest.mark.parametrize(
    ("stack", "cell"),
    [*((stack, "lstm") for stack in ("lstm", "lstm_gate_dropout", "cnn_lstm", "pooled")), ("lstm_gate_dropout", "gru")],
)
def test_learns_in_bfloat16(stack, cell, easy_reviews, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        compiled, "casts_to_bfloat16", lambda device: asked.append(casts_to_bfloat16(device)) or asked[-1]
    )
    torch.manual_seed(0)
    data = IMDBDataModule(path=str(easy_reviews), maxlen=24, batch_size=20, seed=1, cache_dir=str(tmp_path))
    module = new_classifier(data, stack=stack, cell=cell, hidden_size=16, embedding_dim=16, optimizer=fast_adam)
    trainer = quiet_trainer(max_epochs=4, precision="bf16-mixed")
    trainer.fit(module, data)
    assert trainer.callback_metrics["val_acc"] > 0.9
    assert asked
    assert all(asked)
    assert {parameter.dtype for parameter in module.parameters()} == {torch.float32}


def test_the_fused_optimizer_can_be_clipped(easy_reviews, tmp_path):
    data = IMDBDataModule(path=str(easy_reviews), maxlen=24, batch_size=20, cache_dir=str(tmp_path))
    module = new_classifier(data, stack="pooled", hidden_size=4, embedding_dim=4, optimizer=FusedAdam)
    trainer = quiet_trainer(max_steps=2, precision="bf16-mixed", gradient_clip_val=1e-3, limit_val_batches=0)
    before = module.classifier.stack.embedding.weight.detach().clone()
    trainer.fit(module, data)
    assert not torch.equal(module.classifier.stack.embedding.weight, before)
