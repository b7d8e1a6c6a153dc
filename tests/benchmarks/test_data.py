"""The batches and orders that everyone gets."""

import csv

import numpy as np
import pytest

from benchmarks import data


def test_made_up_reviews_are_as_long_as_imdbs_and_padded_at_the_front():
    ids, labels = data.synthetic_reviews(2000, length=500, num_words=5000, seed=0)
    assert ids.shape == (2000, 500)
    assert ids.dtype == np.int32
    assert ids.max() < 5000
    real = ids > 0
    assert (np.diff(real.astype(int), axis=1) >= 0).all()
    assert 150 < np.median(real.sum(1)) < 200
    assert 0.5 < 1 - real.mean() < 0.65
    assert set(labels) == {0.0, 1.0}


def a_prepared(folder, reviews=20):
    np.save(folder / "train_ids.npy", np.arange(reviews * 3, dtype=np.int32).reshape(reviews, 3))
    np.save(folder / "train_labels.npy", np.arange(reviews, dtype=np.float32))
    return data.Prepared(folder, "imdb")


def test_batches_are_different_reviews_with_their_labels(tmp_path):
    ids_path, labels_path = data.write_batches(a_prepared(tmp_path), batches=4, batch_size=5, seed=7, into=tmp_path)
    ids, labels = np.load(ids_path), np.load(labels_path)
    assert ids.shape == (4, 5, 3)
    assert (ids[..., 0] == 3 * labels).all()
    assert sorted(labels.ravel()) == list(range(20))
    assert list(labels.ravel()) != list(range(20))


def test_there_must_be_enough_reviews(tmp_path):
    with pytest.raises(ValueError, match="5 batches of 5 need more than the 20 training reviews"):
        data.write_batches(a_prepared(tmp_path), batches=5, batch_size=5, seed=7, into=tmp_path)


def test_an_order_belongs_to_a_seed_and_an_epoch(tmp_path):
    def order(seed, epoch):
        return np.load(data.write_order(100, seed=seed, epoch=epoch, into=tmp_path)).tolist()

    assert sorted(order(7, 0)) == list(range(100))
    assert order(7, 0) == order(7, 0)
    assert len({tuple(order(seed, epoch)) for seed in (7, 8) for epoch in (0, 1)}) == 4


def write_set(folder, **parts):
    for part, rows in parts.items():
        with (folder / f"toys-{part}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *rows])


def test_a_text_set_becomes_lines_and_numbers(tmp_path):
    write_set(tmp_path, train=[("a\nb", "red"), ("c, d", "blue"), ("e", "red")], test=[("é", "blue")])
    texts = data.TextSet.beside(tmp_path / "toys-train.csv")
    assert (texts.name, texts.archive) == ("toys", None)
    folder = tmp_path / "prepared"
    folder.mkdir()
    assert texts.prepare(folder) == 3
    assert (folder / "train_texts.txt").read_text(encoding="utf-8") == "a b\nc, d\ne\n"
    assert np.load(folder / "train_labels.npy").tolist() == [1, 0, 1]
    assert (folder / "test_texts.txt").read_text(encoding="utf-8") == "é\n"
    assert np.load(folder / "test_labels.npy").tolist() == [0]


def test_a_label_that_only_the_test_texts_have_is_right_for_nobody(tmp_path):
    write_set(tmp_path, train=[("a", "red"), ("b", "blue")], test=[("c", "green"), ("d", "red")])
    data.TextSet.beside(tmp_path / "toys-train.csv").prepare(tmp_path)
    assert np.load(tmp_path / "test_labels.npy").tolist() == [-1, 1]


def test_a_text_set_is_two_files_side_by_side(tmp_path):
    with pytest.raises(data.DataMissingError, match=r"called NAME-train.csv, got .*/toys.csv"):
        data.TextSet.beside(tmp_path / "toys.csv")
    write_set(tmp_path, train=[("a", "red")])
    with pytest.raises(data.DataMissingError, match=r"needs .*/toys-test.csv, which is missing"):
        data.TextSet.beside(tmp_path / "toys-train.csv")
    (tmp_path / "toys-test.csv").write_text("text,class\n")
    with pytest.raises(
        data.DataMissingError, match=r"toys-test.csv must have the columns text and label, got text, cl"
    ):
        data.TextSet.beside(tmp_path / "toys-train.csv")


def test_the_reviews_are_a_text_set_too(tmp_path, monkeypatch):
    for part in ("train", "test"):
        for label in ("neg", "pos"):
            (tmp_path / "aclImdb" / part / label).mkdir(parents=True)
            (tmp_path / "aclImdb" / part / label / "0_1.txt").write_text(f'{part} "{label}",\nindeed')
    monkeypatch.setenv("SEQCLASS_IMDB", str(tmp_path / "aclImdb"))
    texts = data.TextSet.imdb(tmp_path)
    assert (texts.name, texts.archive) == ("imdb", tmp_path / "aclImdb")
    assert texts.prepare(tmp_path) == 2
    assert (tmp_path / "test_texts.txt").read_text() == 'test "neg", indeed\ntest "pos", indeed\n'
    assert np.load(tmp_path / "test_labels.npy").tolist() == [0, 1]


@pytest.mark.imdb
def test_the_real_reviews_with_their_texts(tmp_path):
    imdb = pytest.importorskip("benchmarks.imdb")
    if not imdb.at_hand():
        pytest.skip("SEQCLASS_IMDB does not lead to the reviews")
    data.prepare_real(tmp_path, length=500, num_words=5000, texts=True, reviews=50)
    ids, labels = np.load(tmp_path / "train_ids.npy"), np.load(tmp_path / "train_labels.npy")
    lines = (tmp_path / "train_texts.txt").read_text(encoding="utf-8").split("\n")
    assert ids.shape == (50, 500)
    assert set(labels) == {0.0, 1.0}
    assert len(lines) == 51
    assert lines[-1] == ""
    # A review has about as many ids as words: the lines are those of the same reviews.
    words = np.minimum([len(line.split()) for line in lines[:-1]], 500)
    assert np.corrcoef(words, (ids > 0).sum(1))[0, 1] > 0.95
