"""The stacks against the real Keras 1.2.2 and Keras 3.15: predictions, and ten steps of training."""

import pytest
import torch
from support import golden
from support.keras_training import TheanoMaxPool, train, train_as_tensorflow

MODELS = {
    "keras1_cnn_lstm",
    "keras1_lstm",
    "keras1_lstm_dropout",
    "keras1_lstm_gate_dropout",
    "keras3_cnn_lstm",
    "keras3_lstm",
    "keras3_lstm_dropout",
    "keras3_lstm_gate_dropout",
    "keras3_lstm_hard_sigmoid",
    "keras3_lstm_mask_zero",
}
TRAINED = sorted(name for name in MODELS if "dropout" not in name)
# The others have a hard sigmoid, dropout in the gates, or masked padding.
FOR_BUILTIN = ("keras3_cnn_lstm", "keras3_lstm", "keras3_lstm_dropout")


def kernels(names):
    """Each name with each kernel that can run it."""
    pairs = [(name, kernel) for name in names for kernel in ("reference", "fused", "compiled")]
    return pairs + [(name, "builtin") for name in names if name in FOR_BUILTIN]


def assert_same_training(stack, model, losses):
    """Ten updates of 1e-3 each, in float32: weights below 1 in size, rounded by 6e-8 a step, and the roundings of the
    gradients, which Adam's division by their own size passes on at 1e-3 of their relative size."""
    torch.testing.assert_close(losses, model.values["train_losses"].tolist(), rtol=0, atol=1e-5)
    for name, weight in model.weights("after").items():
        torch.testing.assert_close(
            stack.state_dict()[name], weight, rtol=0, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}"
        )


def test_no_model_is_missing():
    assert set(golden.NAMES) == MODELS
    assert [name for name in golden.NAMES if golden.load(name).trained] == TRAINED


@pytest.mark.parametrize(("name", "kernel"), kernels(sorted(MODELS)))
def test_predicts_as_keras(name, kernel):
    model = golden.load(name)
    stack = model.build(kernel).eval()
    with torch.no_grad():
        prediction = stack(model.ids).sigmoid()
    # Float32 on both sides: probabilities below 1 (a unit in the last place is 6e-8) after 21 steps of rounding.
    torch.testing.assert_close(prediction, model.prediction, rtol=0, atol=1e-6)
    assert model.prediction.std() > 1e-3  # the rows differ by much more than the tolerance


@pytest.mark.parametrize("name", [name for name in sorted(MODELS) if name not in FOR_BUILTIN])
def test_builtin_refuses_the_others(name):
    model = golden.load(name)
    with pytest.raises(ValueError, match="kernel='builtin' cannot run"):
        model.build("builtin")(model.ids)


@pytest.mark.parametrize(("name", "kernel"), kernels(["keras1_lstm"]))
def test_trains_as_keras_1(name, kernel):
    model = golden.load(name)
    stack = model.build(kernel)
    assert_same_training(stack, model, train(stack, model))


@pytest.mark.parametrize(("name", "kernel"), kernels(["keras1_cnn_lstm"]))
def test_trains_as_keras_1_with_the_pooling_of_theano(name, kernel):
    model = golden.load(name)
    stack = model.build(kernel)
    stack.max_pooling = TheanoMaxPool(stack.max_pooling.size)
    assert_same_training(stack, model, train(stack, model))


@pytest.mark.parametrize(("name", "kernel"), kernels(name for name in TRAINED if name.startswith("keras3")))
def test_trains_as_keras_3_with_the_sparse_gradient_of_tensorflow(name, kernel):
    model = golden.load(name)
    stack = model.build(kernel)
    assert_same_training(stack, model, train_as_tensorflow(stack, model))


@pytest.mark.parametrize("name", [name for name in TRAINED if name != "keras1_lstm"])
def test_what_the_habits_of_the_backends_are_worth(name):
    """Without the two imitations the embedding ends elsewhere, and the losses stay close: as docs/keras.md says."""
    model = golden.load(name)
    stack = model.build()
    losses = torch.tensor(train(stack, model), dtype=torch.float64)
    embedding = stack.embedding.weight - model.weights("after")["embedding.weight"]
    assert embedding.abs().max() > 1e-3
    assert (losses - torch.as_tensor(model.values["train_losses"])).abs().max() < 1e-3
