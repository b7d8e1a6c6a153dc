"""Golden values from Keras 3 (TensorFlow CPU backend): layers beyond the four stacks, and what they return.

Environment used: keras==3.15.1 tensorflow-cpu==2.21.0. Run: python make_keras3_layers.py keras3_layers.npz
"""
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
from keras import layers as L

VOCAB, DIM, STEPS, UNITS, BATCH = 20, 3, 9, 4, 5
EVERY = {"return_sequences": True}
# Name: layers behind the embedding, and whether that has mask_zero. Padding stands in front.
MODELS = {
    "gru": ([L.GRU(UNITS)], False),
    "gru_every": ([L.GRU(UNITS, **EVERY)], False),
    "gru_hard_sigmoid": ([L.GRU(UNITS, recurrent_activation="hard_sigmoid")], False),
    "gru_mask": ([L.GRU(UNITS)], True),
    "two_lstms": ([L.LSTM(UNITS, **EVERY), L.LSTM(UNITS)], False),
    "two_grus_mask": ([L.GRU(UNITS, **EVERY), L.GRU(UNITS)], True),
    "bidirectional_lstm_mask": ([L.Bidirectional(L.LSTM(UNITS))], True),
    "bidirectional_gru_mask": ([L.Bidirectional(L.GRU(UNITS))], True),
    "two_bidirectional_lstms_mask": ([L.Bidirectional(L.LSTM(UNITS, **EVERY)), L.Bidirectional(L.LSTM(UNITS))], True),
    "bidirectional_lstm_every_unpadded": ([L.Bidirectional(L.LSTM(UNITS, **EVERY))], False),
    "mean_mask": ([L.LSTM(UNITS, **EVERY), L.GlobalAveragePooling1D()], True),
    "mean_unpadded": ([L.LSTM(UNITS, **EVERY), L.GlobalAveragePooling1D()], False),
    "max_unpadded": ([L.LSTM(UNITS, **EVERY), L.GlobalMaxPooling1D()], False),
    "even_convolution": ([L.Conv1D(UNITS, 4, padding="same")], False),
}

data = {}
for seed, (name, (layers, mask)) in enumerate(MODELS.items()):
    rng = np.random.RandomState(300 + seed)
    m = keras.Sequential([keras.Input((STEPS,)), L.Embedding(VOCAB, DIM, mask_zero=mask), *layers])
    m.set_weights([rng.uniform(-0.6, 0.6, w.shape).astype("float32") for w in m.get_weights()])
    x = rng.randint(1, VOCAB, (BATCH, STEPS)).astype("int32")
    for row, pad in enumerate([0, 1, 4, 7, 8]):
        x[row, :pad] = rng.randint(1, VOCAB) if name.endswith("_unpadded") else 0
    data[f"{name}/x"], data[f"{name}/output"] = x, m.predict(x, verbose=0)
    data.update({f"{name}/weights/{i:02d}": w for i, w in enumerate(m.get_weights())})
    print(keras.__version__, name, [w.path for w in m.weights], data[f"{name}/output"].shape)
np.savez(sys.argv[1], **data)
