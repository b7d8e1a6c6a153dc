"""Models of Keras 2 and what they predict, by `tf_keras` 2.21.0 on tensorflow-cpu 2.21.0.

Run: python make_keras2.py OUT_DIR
"""

import sys
from pathlib import Path

import numpy as np
import tf_keras as keras

L = keras.layers
OUT = Path(sys.argv[1])


def build(name):
    layers = [L.Embedding(50, 8, input_length=21, mask_zero=name == "mask")]
    if name in ("lstm", "mask"):
        layers += [L.LSTM(6)]
    if name == "hard":
        layers += [L.LSTM(6, recurrent_activation="hard_sigmoid")]
    if name == "drop":
        layers += [L.Dropout(0.2), L.LSTM(6), L.Dropout(0.2)]
    if name == "gate":
        layers += [L.LSTM(6, dropout=0.2, recurrent_dropout=0.3)]
    if name == "cnn":
        layers += [L.Conv1D(7, 3, padding="same", activation="relu"), L.MaxPooling1D(2), L.LSTM(6)]
    last = L.Dense(3, activation="softmax") if name == "lstm" else L.Dense(1, activation="sigmoid")
    return keras.Sequential([*layers, last])


predictions = {}
for seed, name in enumerate(["lstm", "mask", "hard", "drop", "gate", "cnn"]):
    rng = np.random.RandomState(seed)
    model = build(name)
    model.set_weights([rng.uniform(-0.6, 0.6, w.shape).astype("float32") for w in model.get_weights()])
    x = rng.randint(1, 50, (5, 21)).astype("int32")
    for row, padding in enumerate([0, 3, 10, 20, 19]):
        x[row, :padding] = 0
    predictions |= {f"{name}/x": x, f"{name}/p": model.predict(x, verbose=0)}
    model.compile(loss="binary_crossentropy", optimizer="adam")
    model.save(OUT / f"{name}.h5")
np.savez(OUT / "predictions.npz", **predictions)
