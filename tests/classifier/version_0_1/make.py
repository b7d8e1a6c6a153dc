"""Made the checkpoints beside it with version 0.1 of this project (commit 5a1108b), whose names it uses."""

import json
import random
from pathlib import Path

from lightning.pytorch import Trainer, seed_everything

from seqclass.classifier import SequenceClassifier
from seqclass.data import TextDataModule
from seqclass.optim import KerasAdam

GOOD, BAD, PLAIN = ("superb", "wonderful", "moving"), ("awful", "dull", "boring"), ("film", "story", "the", "a")
ASKED = ("a superb film", "the dull story", "film", "awful awful wonderful")
STACKS = {
    "cnn_lstm": {"channels": 4, "kernel_size": [2, 3]},
    "lstm_dropout": {"num_layers": 2, "bidirectional": True, "pooling": "max", "cell": "gru"},
}

random.seed(1)
texts, labels = [], []
for number in range(80):
    words = random.choices(PLAIN, k=6) + random.choices(GOOD if number % 2 else BAD, k=2)
    random.shuffle(words)
    texts.append(" ".join(words))
    labels.append("pos" if number % 2 else "neg")

for name, options in STACKS.items():
    seed_everything(7)
    data = TextDataModule(train=(texts, labels), maxlen=12, batch_size=8, num_words=50)
    classifier = SequenceClassifier(
        name,
        **options,
        hidden_size=3,
        embedding_dim=4,
        class_weights="balanced",
        optimizer=lambda parameters: KerasAdam(parameters, lr=0.03),
    )
    trainer = Trainer(max_epochs=3, logger=False, enable_checkpointing=False, accelerator="cpu")
    trainer.fit(classifier, data)
    trainer.save_checkpoint(f"{name}.ckpt")
    answers = dict(zip(ASKED, (result.probabilities for result in classifier.classify(ASKED)), strict=True))
    Path(f"{name}.json").write_text(json.dumps(answers, indent=1))
