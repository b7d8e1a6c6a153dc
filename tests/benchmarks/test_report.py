"""The report: tables from results, and their place in a README."""

import argparse
import importlib.util

import pytest

from benchmarks import drawings, plots, report, results
from benchmarks.results import Result

SETTINGS = {"batch_size": 64, "sweep": None}


def a_result(question, date="2026-01-02T03:04:05Z", *, device="cpu", command=None):
    machine = {"device": device, "name": "a processor", "threads": 2}
    command = command or f"python -m benchmarks {question}"
    return Result(question, machine, {"source": "imdb"}, date=date, commit="abc", command=command)


def step_row(result, implementation, train, evaluation, ratio, stack="lstm", **settings):
    result.add(
        stack=stack,
        implementation=implementation,
        settings={**SETTINGS, **settings},
        versions={"torch": "2.13.0"},
        train_ms=train,
        train_quartiles=[train - 1, train + 1],
        eval_ms=evaluation,
        eval_quartiles=[evaluation, evaluation],
        train_ratio={"low": ratio - 0.1, "mean": ratio, "high": ratio + 0.1},
        eval_ratio={"low": ratio, "mean": ratio, "high": ratio},
        memory={"peak_mib": 1234.5},
    )


def a_step_result(date="2026-01-02T03:04:05Z", ratio=2.5, **options):
    result = a_result("step", date, **options)
    step_row(result, "keras-jax", 200.0, 66.6, ratio + 1)
    step_row(result, "keras-tensorflow", 131.4, 50.0, ratio)
    step_row(result, "seqclass", 52.5, 9.876, 1.0)
    reason = "nn.LSTM has no dropout at its gates"
    result.add_failed(stack="lstm", implementation="torch-naive", settings=SETTINGS, reason=reason)
    return result


def test_step_tables_show_medians_ratios_failures_and_the_command():
    text = report.tables([a_step_result(command="python -m benchmarks step --threads 2")], "step")
    assert "**CPU: a processor, 2 threads** (2026-01-02, commit abc)" in text
    assert "| seqclass | 52.5 (51.5–53.5) |\n| keras-jax | 200 (199–201) |" in text
    assert "| seqclass | 9.88 (9.88–9.88) |" in text
    assert "| fastest Keras / seqclass | **2.50** (2.40–2.60) |" in text
    assert "| torch-naive | failed |" in text
    assert "- failed: torch-naive (lstm): nn.LSTM has no dropout at its gates\n" in text
    assert "| keras-jax | 1,234 |" in text
    assert "\n    python -m benchmarks step --threads 2\n" in text
    assert "With torch 2.13.0." in text


def test_a_busy_machine_is_not_passed_over_in_silence():
    result = a_step_result()
    result.machine["other_cpus"] = 1.24
    assert "commit abc; meanwhile other work kept 1.2 CPUs busy)" in report.tables([result], "step")


def test_cpu_and_gpu_are_different_tables():
    text = report.tables([a_step_result(), a_step_result(device="cuda")], "step")
    assert text.index("**CPU: a processor, 2 threads**") < text.index("**CUDA: a processor**")
    assert text.count("Training step, ms") == 2


def test_the_run_before_says_how_well_ratios_repeat():
    runs = [a_step_result("2026-01-01T00:00:00Z", ratio=2.5), a_step_result("2026-01-02T00:00:00Z", ratio=2.6)]
    text = report.tables(runs, "step")
    assert "the 4 ratios to seqclass differ by 3% in the median and 4% at most" in text
    assert "Against the run before" not in report.tables(runs[:1], "step")


def test_the_run_before_is_the_last_one_of_the_same_rows():
    other = a_result("step", "2026-01-03T00:00:00Z")
    step_row(other, "keras-torch", 900.0, 90.0, 9.0)
    runs = [a_step_result(f"2026-01-0{day}T00:00:00Z", ratio=ratio) for day, ratio in ((1, 5.0), (2, 2.5), (4, 2.5))]
    text = report.tables([*runs[:2], other, runs[2]], "step")
    assert "the 4 ratios to seqclass differ by 0% in the median and 0% at most" in text
    assert "Against the run before" not in report.tables([*runs[:2], other], "step")


def test_sweeps_have_a_table_for_each_stack():
    result = a_result("step")
    for size, train in ((32, 30.0), (64, 60.0)):
        step_row(result, "seqclass", train, 1.0, 1.0, batch_size=size, sweep="batch")
    text = report.tables([result], "sweep")
    assert "`lstm`: training step over batch size, ms:" in text
    assert "| batch_size | 32 | 64 |" in text
    assert "| seqclass | 30.0 (29.0–31.0) | 60.0 (59.0–61.0) |" in text
    assert report.tables([result], "step") == ""


def test_a_sweep_of_other_sizes_says_which():
    result = a_result("step")
    step_row(result, "seqclass", 30.0, 1.0, 1.0, hidden_size=128, sweep="segments")
    text = report.tables([result], "sweep")
    assert "training step over hidden size, batch size 256, length 50, embedding dim 300, ms:" in text


def test_epoch_tables_stand_beside_the_notebook():
    result = a_result("epoch")
    for reviews, seconds in ((25_000, 21.34), (1024, 1.0)):
        settings = {"reviews": reviews}
        result.add(stack="lstm", implementation="seqclass", settings=settings, seconds=seconds, val_accuracy=0.85)
    text = report.tables([result], "epoch")
    assert "| seqclass | 21.3 |\n| notebook, 2016 | 273 |" in text
    assert "| seqclass | 85.00 |\n| notebook, 2016 | 70.06 |" in text
    assert "1.0" not in text.split("With")[0].replace("21.3", "")


def test_accuracy_tables_have_spreads_and_differences():
    result = a_result("accuracy")
    for implementation, values in (("seqclass", (0.87, 0.88, 0.86)), ("keras-tensorflow", (0.85, 0.86, 0.84))):
        runs = [{"seed": seed, "epochs": [{"val_accuracy": value}]} for seed, value in enumerate(values)]
        settings = {"reviews": 25_000}
        result.add(stack="cnn_lstm", implementation=implementation, settings=settings, samples={"runs": runs})
    text = report.tables([result], "accuracy")
    assert "| seqclass, epoch 1 | 87.00 ± 1.00, 88.00 (3) |" in text
    assert "| seqclass − keras-tensorflow, epoch 1 | +2.00 (-0.27 to +4.27) |" in text
    assert "| notebook, 2016, epoch 1 | 86.26 |" in text


def test_a_newer_run_over_more_epochs_takes_the_place_of_the_older():
    runs = []
    for epochs, values in ((1, (0.70, 0.72, 0.74)), (2, (0.80, 0.82))):
        command = f"python -m benchmarks accuracy --epochs {epochs}"
        result = a_result("accuracy", f"2026-01-0{epochs}T03:04:05Z", command=command)
        curves = [{"seed": seed, "epochs": [{"val_accuracy": value}] * epochs} for seed, value in enumerate(values)]
        settings = {"reviews": 25_000, "epochs": epochs}
        result.add(stack="lstm", implementation="seqclass", settings=settings, samples={"runs": curves})
        runs.append(result)
    text = report.tables(runs, "accuracy")
    assert "| seqclass, epoch 1 | 81.00 ± 1.41, 82.00 (2) |" in text
    assert "| seqclass, epoch 2 | 81.00 ± 1.41, 82.00 (2) |" in text
    assert "--epochs 1" not in text


def test_the_command_under_a_table_is_that_of_its_rows():
    swept = a_result("step", command="python -m benchmarks step --sweep batch")
    step_row(swept, "seqclass", 1.0, 1.0, 1.0, sweep="batch")
    text = report.tables([a_step_result(command="python -m benchmarks step"), swept], "step")
    assert "--sweep" not in text


def test_target_tables_put_the_fastest_first_and_those_that_failed_last():
    result = a_result("target")
    settings = {"reviews": 25_000, "target": 0.8626}
    for implementation, seconds, curves in (
        ("keras-jax", None, [[(9.0, 0.80)], [(8.0, 0.81)]]),
        ("tfidf", 30.0, [[(29.0, 0.88)], [(31.0, 0.88)]]),
        ("seqclass", 12.5, [[(6.0, 0.8), (12.0, 0.87)], [(13.0, 0.87)]]),
    ):
        result.add(
            stack="any" if implementation == "tfidf" else "cnn_lstm",
            implementation=implementation,
            settings=settings,
            seconds=seconds,
            reached=2 if seconds else 0,
            seeds=2,
            samples={"curves": curves},
        )
    text = report.tables([result], "target")
    assert "Time to 86.26% on the test reviews" in text
    ours, theirs, lost = (line for line in text.splitlines() if line.startswith(("| seq", "| tf", "| keras")))
    assert ours == "| seqclass | `cnn_lstm` | 12.5 | 2 of 2 | 12.0, 13.0 |"
    assert theirs == "| tfidf | – | 30.0 | 2 of 2 | 29.0, 31.0 |"
    assert lost == "| keras-jax | `cnn_lstm` | not reached | 0 of 2 | ∞, ∞ |"


def test_data_sets_are_columns_with_the_parts_of_a_recipe_below_it():
    result = a_result("accuracy")
    result.data["source"] = "texts"
    for name, ours, theirs in (("trec", (0.90, 0.92), 0.89), ("mr", (0.80, 0.82), 0.79)):
        settings = {"data": name, "texts": 10}
        runs = [
            {"seed": seed, "seconds": 14.0, "acc": value, "acc_recurrent": value - 0.01}
            for seed, value in enumerate(ours)
        ]
        result.add(stack="any", implementation="recipe:text", settings=settings, samples={"runs": runs})
        runs = [{"seed": seed, "seconds": 2.5, "acc": theirs} for seed in (7, 8)]
        result.add(stack="any", implementation="tfidf", settings=settings, samples={"runs": runs})
    result.rows.pop()
    reason = "the peers' environment is missing"
    result.add_failed(
        stack="any", implementation="tfidf", settings={"data": "mr"}, reason=reason, samples={"runs": []}
    )  # fmt: skip
    text = report.tables([result], "texts")
    assert "|  | trec | mr | mean |" in text
    assert "| recipe:text | 91.00 (90.00–92.00) | 81.00 (80.00–82.00) | 86.00 |" in text
    assert "| recipe:text: recurrent part alone | 90.00 (89.00–91.00) | 80.00 (79.00–81.00) | 85.00 |" in text
    assert "| recipe:text: seconds | 14.0 | 14.0 | – |" in text
    assert "| tfidf | 89.00 | – | – |\n| tfidf: seconds | 2.50 | – | – |" in text
    assert "- failed: tfidf (any): the peers' environment is missing" in text
    assert report.tables([result], "accuracy") == report.tables([result], "notebook") == ""


def a_frontier():
    result = a_result("frontier")
    for name, stack, accuracy, figures in (
        ("keras-jax", "cnn_lstm", 0.88, {}),
        ("recipe:text", "any", 0.92, {"acc_recurrent": 0.91, "acc_ngrams": 0.9}),
    ):
        curves = [[(10.0, accuracy - 0.02), (20.0, accuracy)], [(11.0, accuracy - 0.03)]]
        runs = [{"seed": 7 + i, "seconds": c[-1][0], "acc": c[-1][1], **figures} for i, c in enumerate(curves)]
        samples = {"curves": curves, "runs": runs}
        settings = {"reviews": 25_000, "target": None}
        result.add(stack=stack, implementation=name, settings=settings, seconds=15.5, samples=samples)
    result.add_failed(stack="any", implementation="nbsvm", settings=settings, reason="no", samples={"runs": []})
    return result


def test_the_frontiers_table_has_the_best_first():
    text = report.tables([a_frontier()], "frontier")
    ours, theirs = (line for line in text.splitlines() if line.startswith(("| recipe", "| keras")))
    assert ours == "| recipe:text | – | 15.5 | 90.50 (89.00–92.00) | 91.00 | 90.00 |"
    assert theirs == "| keras-jax | `cnn_lstm` | 15.5 | 86.50 (85.00–88.00) | – | – |"
    assert "- failed: nbsvm (any): no" in text


README = """Before.
<!-- benchmarks:step -->
old
<!-- /benchmarks -->
Between.
<!-- benchmarks:epoch -->
<!-- /benchmarks -->
"""


def test_sections_go_between_their_markers_and_nothing_else_changes():
    text = report.insert(README, {"step": "new steps\n", "epoch": "new epochs\n"})
    assert text == (
        "Before.\n<!-- benchmarks:step -->\nnew steps\n<!-- /benchmarks -->\n"
        "Between.\n<!-- benchmarks:epoch -->\nnew epochs\n<!-- /benchmarks -->\n"
    )
    assert report.insert(text, {"step": "old\n", "epoch": ""}) == README


def test_a_marker_without_a_section_is_an_error():
    with pytest.raises(ValueError, match="no section is named 'speed'; there are step"):
        report.insert("<!-- benchmarks:speed -->\n<!-- /benchmarks -->\n", {"step": ""})


def write(folder, *documents):
    report.write(argparse.Namespace(into=list(documents), results=folder / "results", no_plots=True))


def test_the_report_is_written_into_the_documents_that_have_the_markers(tmp_path, capsys):
    for result in (a_step_result(), a_frontier()):
        results.write(result, tmp_path / "results" / result.file_name)
    first, second = tmp_path / "README.md", tmp_path / "RESULTS.md"
    first.write_text("Nothing is marked here.\n")
    second.write_text(README)
    write(tmp_path, first, second)
    assert first.read_text() == "Nothing is marked here.\n"
    assert "| seqclass | 52.5 (51.5–53.5) |" in second.read_text()
    assert "<!-- benchmarks:epoch -->\nNot measured yet.\n<!-- /benchmarks -->" in second.read_text()
    printed = capsys.readouterr().out
    assert "<!-- benchmarks:frontier -->" in printed
    assert "<!-- benchmarks:target -->" not in printed, "nothing was measured"


def test_an_unknown_marker_is_named_with_its_file_and_nothing_is_written(tmp_path):
    results.write(a_step_result(), tmp_path / "results" / "step.json")
    first, second = tmp_path / "README.md", tmp_path / "RESULTS.md"
    first.write_text(README)
    second.write_text("<!-- benchmarks:speed -->\n<!-- /benchmarks -->\n")
    with pytest.raises(SystemExit, match=r"report: .*RESULTS\.md: no section is named 'speed'; there are "):
        write(tmp_path, first, second)
    assert first.read_text() == README


def test_what_no_table_shows_is_named(tmp_path, capsys):
    days = [a_step_result(f"2026-01-0{day}T00:00:00Z") for day in (1, 2, 3)]
    for result in days:
        results.write(result, tmp_path / "results" / result.file_name)
    document = tmp_path / "RESULTS.md"
    document.write_text(README)
    write(tmp_path, document)
    assert "no table shows anything of step-cpu-20260101T000000Z.json: delete it" in capsys.readouterr().err
    assert [result.date[:10] for result in report.unused(days)] == ["2026-01-01"]  # the second is the run before


def test_a_result_of_uncommitted_changes_is_shown_where_there_is_no_other_and_marked():
    clean, changed = a_step_result("2026-01-01T00:00:00Z"), a_step_result("2026-01-02T00:00:00Z")
    changed.commit = "def+"
    clean.rows = [row for row in clean.rows if row["implementation"] != "keras-jax"]
    for row in clean.rows:
        row["train_ms"] = 11.1
    text = report.tables([clean, changed], "step")
    assert "| seqclass | 11.1 (" in text
    assert "| keras-jax | 200 (" in text
    assert "; with uncommitted changes, to be measured anew: def+)" in text
    assert "uncommitted" not in report.tables([clean], "step")


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed")
def test_plots_are_drawn_and_repeat(tmp_path):
    accuracy = a_result("accuracy")
    epochs = [{"val_accuracy": 0.8, "val_loss": 0.5}, {"val_accuracy": 0.85, "val_loss": 0.4}]
    runs = [{"seed": 7, "epochs": epochs}]
    accuracy.add(stack="lstm", implementation="seqclass", settings={}, samples={"runs": runs})
    of_a_set = a_result("accuracy")
    of_a_set.add(stack="any", implementation="tfidf", settings={"data": "mr"}, samples={"runs": [{"acc": 0.8}]})
    swept = a_result("step")
    for size in (32, 64):
        step_row(swept, "seqclass", float(size), 1.0, 1.0, batch_size=size, sweep="batch")
    found = [accuracy, of_a_set, swept, a_frontier()]
    drawn = plots.draw(found, tmp_path)
    assert {name: [path.name for path in paths] for name, paths in drawn.items()} == {
        "frontier": ["frontier-cpu.svg"],
        "accuracy": ["accuracy-cpu.svg"],
        "sweep": ["sweep-cpu.svg"],
    }
    before = [path.read_bytes() for paths in drawn.values() for path in paths]
    plots.draw(found, tmp_path)
    assert [path.read_bytes() for paths in drawn.values() for path in paths] == before


def test_plots_are_left_out_without_matplotlib(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    assert plots.draw([], tmp_path / "plots") == {}
    assert "matplotlib is not installed" in capsys.readouterr().err


def test_the_notebooks_table_has_means_and_ranges_of_the_first_epoch():
    result = a_result("accuracy")
    first = {"seconds": 40.0, "loss": 0.5, "accuracy": 0.75, "val_loss": 0.3, "val_accuracy": 0.87}
    second = {"seconds": 42.0, "loss": 0.4, "accuracy": 0.77, "val_loss": 0.4, "val_accuracy": 0.89}
    runs = [{"seed": 7, "epochs": [first, second]}, {"seed": 8, "epochs": [second]}]
    settings = {"reviews": 25_000}
    for stack in ("cnn_lstm", "lstm_gate_dropout"):
        result.add(stack=stack, implementation="seqclass", settings=settings, samples={"runs": runs})
    result.add(stack="cnn_lstm", implementation="keras-jax", settings=settings, samples={"runs": runs[:1]})
    text = report.tables([result], "notebook")
    assert (
        "| `cnn_lstm`, 2 seeds | 41 (40–42) | 0.4500 (0.4000–0.5000) | 0.7600 (0.7500–0.7700) "
        "| 0.3500 (0.3000–0.4000) | 0.8800 (0.8700–0.8900) |" in text
    )
    assert "| the notebook | 154 | 0.4286 | 0.7804 | 0.3324 | 0.8626 |" in text
    assert "| the notebook: not run | – | – | – | – | – |" in text
    assert "keras-jax" not in text.split("With ")[0]


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed")
def test_the_drawings_of_the_documents_are_drawn_and_repeat(tmp_path):
    first = {path.name: path.read_bytes() for path in drawings.draw(tmp_path)}
    assert first == {path.name: path.read_bytes() for path in drawings.draw(tmp_path)}
    page = (drawings.FOLDER / "how_it_was_made_fast.md").read_text()
    assert all(f"({name})" in page and (drawings.FOLDER / name).exists() for name in first)


def test_the_headline_has_the_notebooks_stacks_and_what_is_better_in_one_table():
    notebooks, texts = a_result("accuracy"), a_result("accuracy")
    texts.data["source"] = "texts"
    runs = [
        {"seed": seed, "epochs": [{"seconds": 16.4, "val_accuracy": value}]} for seed, value in enumerate((0.87, 0.85))
    ]
    for stack in ("cnn_lstm", "lstm_gate_dropout"):
        notebooks.add(
            stack=stack, implementation="seqclass", settings={"reviews": 25_000}, samples={"runs": runs}
        )  # fmt: skip
    for name, data, seconds in (("recipe:text", "imdb", 61.2), ("tfidf", "imdb", 19.0), ("tfidf", "mr", 2.0)):
        runs = [{"seed": 7, "seconds": seconds, "acc": 0.9}]
        texts.add(stack="any", implementation=name, settings={"data": data}, samples={"runs": runs})
    text = report.tables([notebooks, texts], "headline")
    assert [line for line in text.splitlines() if line.startswith("| ")][2:] == [
        "| `lstm_gate_dropout`, one epoch | – | – | 16 | 86.00 (85.00–87.00) |",
        "| `cnn_lstm`, one epoch | 154 | 86.26 | 16 | 86.00 (85.00–87.00) |",
        "| recipe:text, from start to end | – | – | 61.2 | 90.00 |",
        "| tfidf, from start to end | – | – | 19.0 | 90.00 |",
    ]
