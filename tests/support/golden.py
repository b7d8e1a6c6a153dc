"""The golden values of Keras, read from `tests/golden`, or from the folder that `SEQCLASS_GOLDEN` names."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from support.keras_weights import stack_state_dict

from seqclass.models import Stack, build_stack

FOLDER = Path(os.environ.get("SEQCLASS_GOLDEN") or Path(__file__).parents[1] / "golden")
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.npz")))

# What the scripts in `tests/golden` set.
_SIZES = {"num_embeddings": 50, "embedding_dim": 8, "hidden_size": 6}
_EXTRA: dict[str, dict[str, Any]] = {
    "cnn_lstm": {"channels": 7},
    "lstm_hard_sigmoid": {"recurrent_activation": "hard_sigmoid_keras3"},
    "lstm_mask_zero": {"mask_padding": True},
}
_STACKS = {"lstm_hard_sigmoid": "lstm", "lstm_mask_zero": "lstm"}


@dataclass(frozen=True)
class Golden:
    """One model as Keras ran it.

    Attributes:
        keras: the version, 1 or 3.
        model: the model's name in the generator.
        values: the arrays of the file.
    """

    keras: int
    model: str
    values: dict[str, np.ndarray]

    @property
    def stack_name(self) -> str:
        return _STACKS.get(self.model, self.model)

    @property
    def ids(self) -> torch.Tensor:
        return torch.from_numpy(self.values["x"])

    @property
    def labels(self) -> torch.Tensor:
        return torch.from_numpy(self.values["y"])

    @property
    def prediction(self) -> torch.Tensor:
        return torch.from_numpy(self.values["prediction"])

    @property
    def trained(self) -> bool:
        """Whether the file holds ten steps of training."""
        return "train_losses" in self.values

    @property
    def adam_eps(self) -> float:
        return 1e-8 if self.keras == 1 else 1e-7

    def weights(self, moment: str) -> dict[str, torch.Tensor]:
        """The weights `before` or `after` the training."""
        arrays = [self.values[key] for key in sorted(self.values) if key.startswith(f"{moment}/")]
        return stack_state_dict(arrays, keras=self.keras, convolution=self.model == "cnn_lstm")

    def build(self, kernel: str = "auto") -> Stack:
        """The stack with the weights before the training.

        Raises:
            ValueError: the kernel cannot run this model.
        """
        options = {"recurrent_activation": "hard_sigmoid" if self.keras == 1 else "sigmoid"}
        options |= _SIZES | _EXTRA.get(self.model, {}) | {"kernel": kernel}
        stack = build_stack(self.stack_name, **options)
        stack.load_state_dict(self.weights("before"))
        return stack


def load(name: str) -> Golden:
    """Read the file of that name (without its ending)."""
    keras, _, model = name.partition("_")
    with np.load(FOLDER / f"{name}.npz") as values:
        return Golden(int(keras.removeprefix("keras")), model, dict(values))
