from concurrent.futures import ThreadPoolExecutor

from seqclass.training import make_run_folder
from seqclass.training.run_folder import remove_empty_folders


def test_counts_from_one(tmp_path):
    root = tmp_path / "runs"
    assert [make_run_folder(root, "lstm").name for _ in range(3)] == ["1", "2", "3"]
    assert make_run_folder(root, "cnn_lstm") == root / "cnn_lstm" / "1"


def test_goes_on_behind_the_last_one_and_overlooks_other_files(tmp_path):
    (tmp_path / "lstm" / "7").mkdir(parents=True)
    (tmp_path / "lstm" / "notes").mkdir()
    assert make_run_folder(tmp_path, "lstm").name == "8"


def test_runs_that_start_at_once_get_folders_of_their_own(tmp_path):
    with ThreadPoolExecutor(8) as threads:
        folders = list(threads.map(lambda _: make_run_folder(tmp_path, "lstm"), range(40)))
    assert len(set(folders)) == 40


def test_only_empty_folders_are_removed(tmp_path):
    first, second = make_run_folder(tmp_path / "runs", "lstm"), make_run_folder(tmp_path / "runs", "lstm")
    (first / "metrics.csv").write_text("")
    remove_empty_folders(first)
    remove_empty_folders(second)
    assert first.exists()
    assert not second.exists()
    (first / "metrics.csv").unlink()
    remove_empty_folders(first)
    assert not (tmp_path / "runs").exists()
    assert tmp_path.exists()
