import pytest

from seqclass.models import build_stack
from seqclass.training import layer_rows


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        (
            "lstm",
            [
                ("embedding", "Embedding", (None, 500, 32), 160_000),
                ("recurrent", "LSTM", (None, 100), 53_200),
                ("output", "Linear", (None, 1), 101),
            ],
        ),
        (
            "lstm_dropout",
            [
                ("embedding", "Embedding", (None, 500, 32), 160_000),
                ("embedded_dropout", "Dropout", (None, 500, 32), 0),
                ("recurrent", "LSTM", (None, 100), 53_200),
                ("output_dropout", "Dropout", (None, 100), 0),
                ("output", "Linear", (None, 1), 101),
            ],
        ),
        (
            "cnn_lstm",
            [
                ("embedding", "Embedding", (None, 500, 32), 160_000),
                ("convolution", "Convolution", (None, 500, 32), 3_104),
                ("max_pooling", "MaxPooling", (None, 250, 32), 0),
                ("recurrent", "LSTM", (None, 100), 53_200),
                ("output", "Linear", (None, 1), 101),
            ],
        ),
    ],
)
def test_rows_are_the_notebooks(stack, expected):
    model = build_stack(stack)
    rows = layer_rows(model, steps=500)
    assert [(row.name, row.kind, row.output_shape, row.parameters) for row in rows] == expected
    assert model.training
