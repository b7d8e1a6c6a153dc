from concurrent.futures import ThreadPoolExecutor

import pytest

from seqclass.training import make_run_folder
from seqclass.training.run_folder import is_first_process, is_only_process, remove_empty_folders


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


@pytest.mark.parametrize(
    ("environment", "first", "only"),
    [
        ({}, True, True),
        ({"LOCAL_RANK": "0", "NODE_RANK": "0"}, True, False),
        ({"LOCAL_RANK": "1", "NODE_RANK": "0"}, False, False),
        ({"LOCAL_RANK": "0", "NODE_RANK": "1"}, False, False),
        ({"RANK": "0", "LOCAL_RANK": "0", "GROUP_RANK": "0"}, True, False),
        ({"RANK": "2", "LOCAL_RANK": "0", "GROUP_RANK": "1"}, False, False),
        ({"SLURM_PROCID": "0", "SLURM_NODEID": "0"}, True, False),
        ({"SLURM_PROCID": "4", "SLURM_NODEID": "1"}, False, False),
    ],
)
def test_which_of_several_processes_this_one_is(environment, first, only, monkeypatch):
    for name in ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "SLURM_PROCID", "SLURM_NODEID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (is_first_process(), is_only_process()) == (first, only)
