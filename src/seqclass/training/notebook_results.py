"""What the notebook printed, as plain figures to compare results with.

The notebook is "Sequence Classification with LSTM Recurrent Neural Networks in Python with Keras" (Keras 1 on
TensorFlow, 2016): one run of one epoch for each stack, batches of 64, on its author's computer, the 25,000 test reviews
as validation.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class EpochResult:
    """The figures that Keras prints after an epoch.

    Attributes:
        seconds: training and validation.
        loss: mean over the epoch's samples, in nats.
        accuracy: mean over the epoch's samples, from 0 to 1.
        val_loss: as `loss`, on the validation texts after the epoch.
        val_accuracy: as `accuracy`, likewise.
    """

    seconds: float
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float


# By stack; the notebook describes `lstm_gate_dropout`, and shows no run of it.
NOTEBOOK_RESULTS: dict[str, EpochResult] = {
    "lstm": EpochResult(273, 0.4669, 0.7865, 0.6816, 0.7006),
    "lstm_dropout": EpochResult(274, 0.6491, 0.6177, 0.5711, 0.7223),
    "cnn_lstm": EpochResult(154, 0.4286, 0.7804, 0.3324, 0.8626),
}
