"""Models as people have them, and what Keras predicts: written by the real Keras, into one archive a version.

Run: python make_models.py keras keras3.tar.xz          (Keras 3.15.1 on tensorflow-cpu 2.21.0)
     python make_models.py tf_keras tf_keras2.tar.xz    (tf_keras 2.21.0 on tensorflow-cpu 2.21.0)
Names of models behind that make these alone.

Every model gets random weights and biases, is trained for two steps, and then asked about inputs with padding in
front, behind, on both sides, in the middle and none. The archive holds the files as Keras wrote them, and
`predictions.npz`: for NAME the inputs `NAME/x` and Keras' answers `NAME/p`.
"""

import importlib
import os
import sys
import tarfile
import tempfile
import warnings
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import numpy as np

keras = importlib.import_module(sys.argv[1])
L, Sequential = keras.layers, keras.Sequential
IS3 = sys.argv[1] == "keras"
WORDS, STEPS, SIZE = 30, 24, 6

TEXTS = [
    "The movie was cool. The animation and the graphics were out of this world!",
    "The movie was NOT good;\tthe animation-and-graphics were terrible...",
    "I would not recommend\nthe movie, don't!",
    "unseen syllables only",
    "",
    "Été à la mer — GREAT é É ÉTÉ",
    "a b c d e f g h the movie " * 5,
    "semi-colon's; [brackets] {braces} ~tilde~ ^caret_ 100% #1 $5 & more @home `tick` \\slash/ |pipe|",
]


def embedding(mask_zero=False, **options):
    return L.Embedding(WORDS, SIZE, mask_zero=mask_zero, **options)


def both(layer, **options):
    return L.Bidirectional(layer, **options)


def functional(layers, *, steps=None, dtype="int32", shape=None):
    ids = keras.Input(shape=(steps,) if shape is None else shape, dtype=dtype)
    x = ids
    for layer in layers:
        x = layer(x)
    return keras.Model(ids, x)


def toxic(*, mask_zero=False, conv=False, hidden=False):
    ids = keras.Input(shape=(STEPS,))
    x = embedding(mask_zero)(ids)
    x = L.SpatialDropout1D(0.2)(x)
    x = both(L.GRU(5, return_sequences=True))(x)
    if conv:
        x = L.Conv1D(4, kernel_size=2, padding="valid", kernel_initializer="glorot_uniform")(x)
    average, largest = L.GlobalAveragePooling1D()(x), L.GlobalMaxPooling1D()(x)
    x = L.concatenate([average, largest])
    if hidden:
        x = L.Dropout(0.1)(L.Dense(7, activation="relu")(x))
    return keras.Model(ids, L.Dense(6, activation="sigmoid")(x))


def kim():
    ids = keras.Input(shape=(STEPS,))
    x = embedding()(ids)
    parts = [L.GlobalMaxPooling1D()(L.Conv1D(4, size, activation="relu")(x)) for size in (2, 3, 4)]
    return keras.Model(ids, L.Dense(3, activation="softmax")(L.Dropout(0.5)(L.Concatenate()(parts))))


def vectorization(**options):
    layer = L.TextVectorization(**options)
    layer.adapt(TEXTS[:3] + TEXTS[5:])
    return layer


def tutorial(*, stacked=False, mask_zero=True, **options):
    encoder = vectorization(**{"max_tokens": 40, **options})
    layers = [encoder, L.Embedding(len(encoder.get_vocabulary()), SIZE, mask_zero=mask_zero)]
    if stacked:
        layers += [both(L.LSTM(5, return_sequences=True)), both(L.LSTM(3))]
        layers += [L.Dense(4, activation="relu"), L.Dropout(0.5)]
    else:
        layers += [both(L.LSTM(5)), L.Dense(4, activation="relu")]
    return Sequential([*layers, L.Dense(1)])


def tutorial_functional():
    texts = keras.Input(shape=(1,), dtype="string")
    x = vectorization(output_sequence_length=12, standardize="lower")(texts)
    x = L.LSTM(4)(embedding_of(60)(x))
    return keras.Model(texts, L.Dense(1, activation="sigmoid")(x))


def embedding_of(rows, **options):
    return L.Embedding(rows, SIZE, **options)


def string_lookup(mask_token):
    vocabulary = ["the", "movie", "was", "Good", "bad"]
    words = keras.Input(shape=(None,), dtype="string")
    x = L.StringLookup(vocabulary=vocabulary, mask_token=mask_token)(words)
    x = L.LSTM(4)(embedding_of(8, mask_zero=mask_token is not None)(x))
    return keras.Model(words, L.Dense(1, activation="sigmoid")(x))


def own_backward():
    inner = L.LSTM(4, go_backwards=True, return_sequences=True)
    return both(L.GRU(4, return_sequences=True), backward_layer=inner)


SIGMOID = {"activation": "sigmoid"}
MODELS = {
    # Keras' own examples.
    "imdb_lstm": lambda: Sequential(
        [embedding(), L.LSTM(5, dropout=0.2, recurrent_dropout=0.2), L.Dense(1, **SIGMOID)]
    ),
    "imdb_cnn_lstm": lambda: Sequential(
        [
            embedding(),
            L.Dropout(0.25),
            L.Conv1D(7, 5, padding="valid", activation="relu", strides=1),
            L.MaxPooling1D(pool_size=4),
            L.LSTM(5),
            L.Dense(1),
            L.Activation("sigmoid"),
        ]
    ),
    "imdb_bidirectional_lstm": lambda: Sequential(
        [embedding(), both(L.LSTM(5, return_sequences=True)), both(L.LSTM(4)), L.Dropout(0.5), L.Dense(1, **SIGMOID)]
    ),
    "bidirectional_lstm_imdb": lambda: functional(
        [embedding(), both(L.LSTM(5, return_sequences=True)), both(L.LSTM(5)), L.Dense(1, **SIGMOID)]
    ),
    "imdb_cnn": lambda: Sequential(
        [
            embedding(),
            L.Dropout(0.2),
            L.Conv1D(7, 3, padding="valid", activation="relu", strides=1),
            L.GlobalMaxPooling1D(),
            L.Dense(8),
            L.Dropout(0.2),
            L.Activation("relu"),
            L.Dense(1),
            L.Activation("sigmoid"),
        ]
    ),
    # TensorFlow's tutorial on text classification.
    "tutorial": tutorial,
    "tutorial_stacked": lambda: tutorial(stacked=True),
    "tutorial_functional": tutorial_functional,
    "tutorial_fixed": lambda: tutorial(output_sequence_length=9, mask_zero=False),
    "tutorial_characters": lambda: tutorial(split="character", standardize="strip_punctuation"),
    "tutorial_plain": lambda: tutorial(standardize=None),
    "tutorial_ngrams": lambda: tutorial(ngrams=2),
    "lookup": lambda: string_lookup(None),
    "lookup_mask": lambda: string_lookup(""),
    # The toxic-comment classic.
    "toxic": toxic,
    "toxic_mask": lambda: toxic(mask_zero=True),
    "toxic_conv": lambda: toxic(conv=True, hidden=True),
    "kim": kim,
    # Recurrent layers in all their forms.
    "gru_after": lambda: Sequential([embedding(), L.GRU(5, reset_after=True), L.Dense(1, **SIGMOID)]),
    "gru_before": lambda: Sequential([embedding(True), L.GRU(5, reset_after=False), L.Dense(1, **SIGMOID)]),
    "gru_no_bias": lambda: Sequential([embedding(), L.GRU(5, use_bias=False), L.Dense(3, activation="softmax")]),
    "gru_before_no_bias": lambda: Sequential(
        [embedding(), both(L.GRU(5, use_bias=False, reset_after=False)), L.Dense(1, **SIGMOID)]
    ),
    "gru_hard": lambda: Sequential(
        [embedding(True), L.GRU(5, recurrent_activation="hard_sigmoid"), L.Dense(1, **SIGMOID)]
    ),
    "lstm_no_bias": lambda: Sequential([embedding(), L.LSTM(5, use_bias=False), L.Dense(1, use_bias=False)]),
    "lstm_relu": lambda: Sequential([embedding(True), L.LSTM(5, activation="relu"), L.Dense(1, **SIGMOID)]),
    "simple_rnn": lambda: Sequential([embedding(True), L.SimpleRNN(5), L.Dense(1, **SIGMOID)]),
    "backwards": lambda: Sequential([embedding(), L.LSTM(5, go_backwards=True), L.Dense(1, **SIGMOID)]),
    "backwards_mask": lambda: Sequential([embedding(True), L.LSTM(5, go_backwards=True), L.Dense(1, **SIGMOID)]),
    "backwards_sequences": lambda: Sequential(
        [embedding(), L.GRU(5, go_backwards=True, return_sequences=True), L.LSTM(4), L.Dense(1, **SIGMOID)]
    ),
    "stacked_mask": lambda: Sequential(
        [
            embedding(True),
            L.LSTM(5, return_sequences=True),
            L.Dropout(0.3),
            L.GRU(4, return_sequences=True),
            L.LSTM(3),
            L.Dense(1, **SIGMOID),
        ]
    ),
    "masking": lambda: Sequential([embedding(), L.Masking(mask_value=0.0), both(L.LSTM(4)), L.Dense(1, **SIGMOID)]),
    "average": lambda: Sequential(
        [embedding(), L.LSTM(5, return_sequences=True), L.GlobalAveragePooling1D(), L.Dense(1, **SIGMOID)]
    ),
    "average_mask": lambda: Sequential(
        [embedding(True), both(L.LSTM(5, return_sequences=True)), L.GlobalAveragePooling1D(), L.Dense(1, **SIGMOID)]
    ),
    "merge_sum": lambda: Sequential([embedding(), both(L.LSTM(5), merge_mode="sum"), L.Dense(1, **SIGMOID)]),
    "merge_mul": lambda: Sequential(
        [
            embedding(True),
            both(L.GRU(5, return_sequences=True), merge_mode="mul"),
            both(L.LSTM(4), merge_mode="ave"),
            L.Dense(1, **SIGMOID),
        ]
    ),
    "own_backward": lambda: Sequential(
        [embedding(True), own_backward(), L.GlobalAveragePooling1D(), L.Dense(1, **SIGMOID)]
    ),
    # Convolutions and poolings.
    "convolutions": lambda: Sequential(
        [
            embedding(),
            L.Conv1D(5, 4, padding="same", strides=2, activation="tanh"),
            L.Conv1D(6, 3, padding="causal", dilation_rate=2),
            L.Activation("relu"),
            L.AveragePooling1D(2, strides=1, padding="same"),
            L.Conv1D(4, 2, padding="valid", use_bias=False, activation="elu"),
            L.MaxPooling1D(3, strides=2, padding="same"),
            L.GRU(4),
            L.Dense(1, **SIGMOID),
        ]
    ),
    # Dense layers.
    "dense": lambda: Sequential(
        [
            embedding(),
            L.LSTM(5),
            L.Dense(6, activation="relu"),
            L.Dense(5, activation="tanh", use_bias=False),
            L.Dense(5),
            L.Activation("selu"),
            L.Dense(4),
            L.Activation("softmax"),
        ]
    ),
    "two_classes": lambda: Sequential([embedding(), L.LSTM(5), L.Dense(2, activation="softmax")]),
    "two_labels": lambda: Sequential([embedding(), L.LSTM(5), L.Dense(2, activation="sigmoid")]),
    "three_labels": lambda: Sequential([embedding(), L.LSTM(5), L.Dense(3, activation="sigmoid")]),
    # Ways of putting models together.
    "nested": lambda: Sequential(
        [
            Sequential([embedding(True), L.SpatialDropout1D(0.1)], name="front"),
            Sequential([L.LSTM(5, return_sequences=True), Sequential([both(L.LSTM(3))])]),
            L.Dense(1, **SIGMOID),
        ]
    ),
    "nested_functional": lambda: functional(
        [
            Sequential([embedding(), L.LSTM(5, return_sequences=True)]),
            functional([L.GRU(4)], shape=(None, 5), dtype=None),
            L.Dense(1, **SIGMOID),
        ],
        steps=STEPS,
    ),
    "names": lambda: Sequential(
        [
            L.Embedding(WORDS, SIZE, name="dense"),
            L.Dropout(0.1, name="lstm_7"),
            L.LSTM(5, return_sequences=True, name="my-LSTM.1"),
            L.LSTM(4, name="embedding"),
            L.Dense(3, activation="relu", name="a.b-c_1"),
            L.Dense(1, activation="sigmoid", name="0"),
        ],
        name="a.model-of_0",
    ),
    "normalized": lambda: Sequential(
        [
            embedding(),
            L.BatchNormalization(),
            L.LSTM(5, return_sequences=True),
            L.LayerNormalization(),
            L.GaussianNoise(0.1),
            L.TimeDistributed(L.Dense(4, activation="relu")),
            L.GlobalMaxPooling1D(),
            L.BatchNormalization(scale=False),
            L.Dense(1, **SIGMOID),
        ]
    ),
    "flatten": lambda: functional(
        [embedding(), L.Flatten(), L.Dense(4, activation="relu"), L.Dense(1, **SIGMOID)], steps=STEPS
    ),
}
# The state of an optimizer is not read; most files have a small one.
WITH_ADAM = ("imdb_lstm", "toxic")
POLICIES = ("mixed_float16", "mixed_bfloat16", "float16", "bfloat16")


def inputs(name, draw):
    if name.startswith("tutorial"):
        return np.array(TEXTS, dtype=object)
    if name.startswith("lookup"):
        rows = [["the", "movie", "was", "good"], ["Good", "the", "unseen", ""], ["bad", "", "", ""]]
        return np.array(rows, dtype=object)
    ids = draw.integers(1, WORDS, (7, STEPS)).astype("int32")
    ids[1, :7] = 0  # in front
    ids[2, -9:] = 0  # behind
    ids[3, :3] = ids[3, -4:] = 0
    ids[4, 8:12] = ids[4, :2] = 0  # in the middle
    ids[5, :-1] = 0  # one word, behind
    ids[6, 1:] = 0  # one word, in front
    return ids


def prepared(model, name, draw):
    """Random weights, and two steps of training."""
    x = inputs(name, draw)
    fed = keras_input(x)
    model(fed)
    # A table of tf_keras is among the weights, and holds no numbers.
    for number, weight in enumerate(w for w in model.weights if hasattr(w, "assign")):
        value = draw.uniform(-0.5, 0.5, weight.shape).astype("float32")
        value = np.abs(value) + 0.5 if "variance" in weight.name else value
        if name == "masking" and not number:
            value[0] = 0
        weight.assign(value)
    units = model.output_shape[-1]
    optimizer = keras.optimizers.Adam(1e-2) if name in WITH_ADAM else keras.optimizers.SGD(1e-1)
    model.compile(loss="mse", optimizer=optimizer)
    if name != "masking":  # the padding's row has to stay zero
        model.fit(fed, draw.uniform(0, 1, (len(x), units)).astype("float32"), epochs=2, batch_size=len(x), verbose=0)
    return model, x


def keras_input(x):
    if x.dtype != object:
        return x
    import tensorflow as tf

    return tf.constant(x.tolist() if x.ndim > 1 else [[text] for text in x])


def save(model, name, folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(folder / f"{name}.keras")
        if not name.startswith("tutorial"):
            model.save(folder / f"{name}.h5")
        model.save_weights(folder / f"{name}.weights.h5")
        # The old layout has no place for a table of words.
        if not IS3 and not name.startswith("tutorial"):
            model.save_weights(folder / f"{name}_weights.h5")
    (folder / f"{name}.json").write_text(model.to_json())


def of_policy():
    # TensorFlow has no orthogonal initial values of low precision.
    recurrent = L.LSTM(4, recurrent_initializer="glorot_uniform")
    return Sequential([embedding(), both(recurrent), L.Dense(3, activation="relu"), L.Dense(1, **SIGMOID)])


def policy_models(folder, predictions):
    """Low precision: what counts is the function that the stored weights have in float32."""
    for number, policy in enumerate(POLICIES):
        if not IS3 and not policy.startswith("mixed"):
            continue
        draw = np.random.default_rng(1000 + number)
        set_policy(policy)
        model = of_policy()
        x = inputs(policy, draw)
        model(x)
        model.set_weights([draw.uniform(-0.5, 0.5, w.shape).astype("float32") for w in model.get_weights()])
        model.save(folder / f"{policy}.keras")
        model.save(folder / f"{policy}.h5")
        set_policy("float32")
        exact = of_policy()
        exact(x)
        exact.set_weights([np.asarray(w, dtype="float32") for w in model.get_weights()])
        predictions |= {f"{policy}/x": x, f"{policy}/p": exact.predict(x, verbose=0)}


def set_policy(name):
    (keras.mixed_precision.set_dtype_policy if IS3 else keras.mixed_precision.set_global_policy)(name)


def cudnn_models(folder, predictions):
    """CuDNN layers need a GPU to run; Keras itself reads their weights into plain layers, which do not."""
    from tf_keras.src.layers.rnn.cudnn_gru import CuDNNGRU
    from tf_keras.src.layers.rnn.cudnn_lstm import CuDNNLSTM

    def build(lstm, gru):
        return {
            "cudnn_lstm": Sequential([L.Embedding(WORDS, SIZE, input_length=STEPS), lstm(5), L.Dense(1, **SIGMOID)]),
            "cudnn_gru": Sequential([L.Embedding(WORDS, SIZE, input_length=STEPS), gru(5), L.Dense(1, **SIGMOID)]),
            "cudnn_both": Sequential(
                [
                    L.Embedding(WORDS, SIZE, input_length=STEPS),
                    both(lstm(4, return_sequences=True)),
                    Sequential([both(gru(3, return_sequences=True))]),
                    L.GlobalMaxPooling1D(),
                    L.Dense(1, **SIGMOID),
                ]
            ),
        }

    plain = build(L.LSTM, L.GRU)
    for number, (name, model) in enumerate(build(CuDNNLSTM, CuDNNGRU).items()):
        draw = np.random.default_rng(2000 + number)
        x = inputs(name, draw)
        model.set_weights([draw.uniform(-0.5, 0.5, w.shape).astype("float32") for w in model.get_weights()])
        model.save(folder / f"{name}.h5")
        model.save_weights(folder / f"{name}_weights.h5")
        (folder / f"{name}.json").write_text(model.to_json())
        plain[name](x)
        plain[name].load_weights(str(folder / f"{name}_weights.h5"))
        predictions |= {f"{name}/x": x, f"{name}/p": plain[name].predict(x, verbose=0)}


def anonymous(entry):
    entry.mtime = entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def main():
    predictions, skipped = {}, {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for number, (name, build) in enumerate(MODELS.items()):
            if sys.argv[3:] and name not in sys.argv[3:]:
                continue
            keras.utils.set_random_seed(number)
            draw = np.random.default_rng(number)
            try:
                model, x = prepared(build(), name, draw)
                p = model.predict(keras_input(x), verbose=0, batch_size=len(x))
                save(model, name, folder)
            except Exception as error:  # what this Keras cannot build, it cannot have written
                skipped[name] = f"{type(error).__name__}: {error!s:.150}"
                continue
            predictions |= {f"{name}/x": x.astype(str) if x.dtype == object else x, f"{name}/p": p}
        policy_models(folder, predictions)
        if not IS3:
            cudnn_models(folder, predictions)
        np.savez_compressed(folder / "predictions.npz", **predictions)
        # Files of the same kind side by side are compressed best.
        with tarfile.open(sys.argv[2], "w:xz", preset=9) as archive:
            for path in sorted(folder.iterdir(), key=lambda path: (path.suffixes, path.name)):
                archive.add(path, path.name, filter=anonymous)
    print("skipped:", *(f"{name}: {reason}" for name, reason in skipped.items()), sep="\n  ")


if __name__ == "__main__":
    main()
