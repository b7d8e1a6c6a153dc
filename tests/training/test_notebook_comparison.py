import io

from rich.console import Console

from seqclass.training.notebook_comparison import comparison_table
from seqclass.training.notebook_results import NOTEBOOK_RESULTS, EpochResult

RESULT = EpochResult(12.4, 0.41, 0.81, 0.3, 0.875)


def printed(stack, source):
    console = Console(width=120, file=io.StringIO())
    console.print(comparison_table(stack, RESULT, source))
    return console.file.getvalue()


def test_both_rows_stand_side_by_side():
    text = printed("cnn_lstm", "imdb")
    assert "0.8750" in text
    assert "0.8626" in text
    assert "154" in text
    assert "cannot be compared" not in text


def test_figures_of_the_sample_are_marked_as_such():
    text = printed("cnn_lstm", "sample")
    assert "this run (sample)" in text
    assert "cannot be compared" in text


def test_stack_that_the_notebook_did_not_run():
    assert "lstm_gate_dropout" not in NOTEBOOK_RESULTS
    assert "not run" in printed("lstm_gate_dropout", "imdb")
