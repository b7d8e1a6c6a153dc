"""``keras-tensorflow``, ``keras-jax``, ``keras-torch``: the notebook's stacks as Keras 3 has them today.

The environment variable ``KERAS_BACKEND`` picks the backend. Keras 3 leaves no choice about two differences
from Keras 1: no dropout of whole words at the embedding, and its own initial values. Steps are timed inside
Keras' own `fit` and `evaluate`, its fastest way through a data set, from the beginning of the first batch.
"""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers

from benchmarks.notebook import DROPOUT, FILTERS, KERNEL_SIZE
from benchmarks.protocol import serve
from benchmarks.timer import Laps
from benchmarks.workers.base import METHODS, NeuralWorker, Wanted, batches


class KerasWorker(NeuralWorker):
    """Trains a `keras.Sequential`."""

    distributions = (
        "keras",
        keras.backend.backend().replace("tensorflow", "tensorflow-cpu"),
        "jaxlib",
        "numpy",
    )

    def make(self, wanted: Wanted) -> int:
        _limit_threads(wanted.threads)
        keras.utils.set_random_seed(wanted.seed)
        self.model = keras.Sequential([keras.Input((wanted.length,)), *_stack(wanted.stack, **wanted.sizes)])
        self.model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
        return self.model.count_params()

    def check(self, *, weights: str, ids: str, probabilities: str) -> None:
        own = self.model.get_weights()
        with np.load(weights) as neutral:
            self.model.set_weights([neutral[name] for name in neutral.files])
        np.save(probabilities, self.model.predict(np.load(ids), verbose=0)[:, 0])
        self.model.set_weights(own)

    def train_steps(self, *, ids: str, labels: str, start: int, count: int) -> list[float]:
        x, y = batches(ids, labels, start, count)
        timing = StepTimes()
        self.model.fit(
            x.reshape(-1, x.shape[-1]),
            y.reshape(-1),
            batch_size=x.shape[1],
            shuffle=False,
            verbose=0,
            callbacks=[timing],
        )
        return timing.laps.milliseconds()

    def eval_steps(self, *, ids: str, labels: str, start: int, count: int) -> list[float]:
        x, y = batches(ids, labels, start, count)
        timing = StepTimes()
        self.model.evaluate(
            x.reshape(-1, x.shape[-1]), y.reshape(-1), batch_size=x.shape[1], verbose=0, callbacks=[timing]
        )
        return timing.laps.milliseconds()

    def epoch(self, *, order: str, start: int, stop: int, batch_size: int) -> dict[str, float]:
        chosen = np.load(order)[start:stop]
        history = self.model.fit(
            self.train_ids[chosen], self.train_labels[chosen], batch_size=batch_size, shuffle=False, verbose=0
        ).history
        return {name: float(values[-1]) for name, values in history.items()}

    def evaluate(self, *, batch_size: int) -> dict[str, float]:
        logs = self.model.evaluate(self.test_ids, self.test_labels, batch_size=batch_size, verbose=0, return_dict=True)
        return {name: float(value) for name, value in logs.items()}


class StepTimes(keras.callbacks.Callback):
    """Laps at the end of each batch. Reading the loss waits for the step, which JAX only queues."""

    def __init__(self) -> None:
        super().__init__()
        self.laps = Laps("cpu")

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if batch == 0:
            self.laps.start()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        float(logs["loss"])
        self.laps.lap()

    on_test_batch_begin = on_train_batch_begin
    on_test_batch_end = on_train_batch_end


def _stack(name: str, *, num_embeddings: int, embedding_dim: int, hidden_size: int) -> list[keras.layers.Layer]:
    gates = {"dropout": DROPOUT, "recurrent_dropout": DROPOUT} if name == "lstm_gate_dropout" else {}
    middle: list[keras.layers.Layer] = [layers.LSTM(hidden_size, **gates)]
    if name == "lstm_dropout":
        middle = [layers.Dropout(DROPOUT), *middle, layers.Dropout(DROPOUT)]
    if name == "cnn_lstm":
        convolution = layers.Conv1D(FILTERS, KERNEL_SIZE, padding="same", activation="relu")
        middle = [convolution, layers.MaxPooling1D(2), *middle]
    return [layers.Embedding(num_embeddings, embedding_dim), *middle, layers.Dense(1, activation="sigmoid")]


def _limit_threads(threads: int) -> None:
    """Tell the framework too; JAX has only the variables that `benchmarks.implementations` sets."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    if keras.backend.backend() == "torch":
        import torch

        torch.set_num_threads(threads)


if __name__ == "__main__":
    serve(KerasWorker(), METHODS)
