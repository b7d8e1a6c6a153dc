import os

import pytest
from support.sources import read

from seqclass.data import OwnTexts
from seqclass.data.sources import Reading
from seqclass.errors import InputError


@pytest.fixture
def table(tmp_path):
    """Writes a CSV file of labels, each with so many texts of its own, and returns its path."""

    def write(name="reviews.csv", **counts):
        lines = [
            f"{name} text {number} of {label},{label}" for label, count in counts.items() for number in range(count)
        ]
        (tmp_path / name).write_text("\n".join(["text,label", *lines]))
        return tmp_path / name

    return write


def counts(part, source):
    return {name: part.labels.count(label) for label, name in enumerate(source.label_names)}


class TestParts:
    def test_without_a_test_file_a_part_of_each_class_is_the_test(self, table):
        source = OwnTexts(table(sad=20, glad=10, mad=2))
        parts = read(source)
        assert list(parts) == ["train", "test"]
        assert source.name == "reviews.csv"
        assert source.label_names == ("glad", "mad", "sad")
        assert counts(parts["test"], source) == {"glad": 2, "mad": 1, "sad": 4}
        assert counts(parts["train"], source) == {"glad": 8, "mad": 1, "sad": 16}
        assert not set(parts["train"].texts) & set(parts["test"].texts)
        for part in parts.values():
            for text, label, name in zip(part.texts, part.labels, part.names, strict=True):
                line = int(name.removeprefix("reviews.csv:"))
                assert (
                    source.inputs["train"].path.read_text().splitlines()[line - 1]
                    == f"{text},{source.label_names[label]}"
                )
        assert read(OwnTexts(source.inputs["train"].path)) == parts, "the same texts every time"

    def test_files_of_their_own(self, table):
        train, test, val = table("a.csv", x=2, y=1), table("b.csv", y=3), table("c.csv", x=1, y=1)
        parts = read(OwnTexts(train, test=test, val=val))
        assert {name: (part.labels, part.names[-1]) for name, part in parts.items()} == {
            "train": ([0, 0, 1], "a.csv:4"),
            "val": ([0, 1], "c.csv:3"),
            "test": ([1, 1, 1], "b.csv:4"),
        }
        assert set(read(OwnTexts(train.parent / "a.csv", test=test))) == {"train", "test"}

    def test_forms_may_differ(self, table, tmp_path):
        folder = tmp_path / "new"
        for label in ("x", "y"):
            (folder / label).mkdir(parents=True)
            (folder / label / "1.txt").write_text("good")
        parts = read(OwnTexts(table(x=2, y=2), test=folder))
        assert parts["test"].names == ["new/x/1.txt", "new/y/1.txt"]

    def test_the_folder_one_is_in(self, table, tmp_path, monkeypatch):
        for label in ("x", "y"):
            (tmp_path / "new" / label).mkdir(parents=True)
            (tmp_path / "new" / label / "1.txt").write_text("good")
        monkeypatch.chdir(tmp_path / "new")
        source = OwnTexts(".", test=table(x=1))
        assert (source.name, read(source)["train"].names) == ("new", ["new/x/1.txt", "new/y/1.txt"])

    def test_file_names_in_another_encoding_can_be_written(self, table, tmp_path):
        (tmp_path / "new" / "x").mkdir(parents=True)
        (tmp_path / "new" / "x" / os.fsdecode(b"caf\xe9.txt")).write_text("good")
        parts = read(OwnTexts(table(x=2, y=2), test=tmp_path / "new"))
        assert parts["test"].names == ["new/x/caf\\udce9.txt"]

    def test_other_columns(self, tmp_path):
        (tmp_path / "a.tsv").write_text('stars\tbody\n1\t"a\n1\tb\n5\tc\n5\td\n')
        source = OwnTexts(
            tmp_path / "a.tsv", reading=Reading(text_columns=("body",), label_column="stars", quotes=False)
        )
        read(source)
        assert source.label_names == ("1", "5")


class TestErrors:
    def test_a_label_that_training_does_not_have(self, table):
        train = table(x=2, y=2)
        for part in ("test", "val"):
            other = table("other.csv", x=1, z=1)
            message = r"other\.csv:3: no training text has the label 'z'; the labels in .*reviews\.csv are 'x', 'y'$"
            with pytest.raises(InputError, match=message):
                read(OwnTexts(train, **{part: other}))

    def test_one_class(self, table):
        with pytest.raises(InputError, match=r"reviews\.csv has to hold .* two classes; all have the label 'x'"):
            read(OwnTexts(table(x=5)))

    def test_no_texts(self, table):
        with pytest.raises(InputError, match=r"reviews\.csv has to hold texts of at least two classes; there are none"):
            read(OwnTexts(table()))
        with pytest.raises(InputError, match=r"b\.csv \(test\) holds no texts"):
            read(OwnTexts(table(x=2, y=2), test=table("b.csv")))

    def test_a_class_with_a_single_text(self, table):
        with pytest.raises(InputError, match=r"class y has a single .* \(reviews\.csv:5\), and test_fraction=0\.2"):
            read(OwnTexts(table(x=3, y=1)))

    def test_nothing_there(self, table, tmp_path):
        with pytest.raises(InputError, match=r"there are no texts at .*lost\.csv \(train\); allowed are \.csv"):
            OwnTexts(tmp_path / "lost.csv")
        with pytest.raises(InputError, match=r"there are no texts at .*lost\.csv \(test\)"):
            OwnTexts(table(x=2, y=2), test=tmp_path / "lost.csv")

    @pytest.mark.parametrize("name", ["reviews.xlsx", "reviews", "pipe.csv"])
    def test_of_no_known_form(self, tmp_path, name):
        os.mkfifo(tmp_path / name) if name == "pipe.csv" else (tmp_path / name).write_text("text,label")
        with pytest.raises(InputError, match=rf"cannot tell what .*{name} \(train\) is; allowed are \.csv"):
            OwnTexts(tmp_path / name)

    def test_the_same_texts_twice(self, table):
        train, test = table("a.csv", x=2, y=2), table("b.csv", x=2, y=2)
        with pytest.raises(InputError, match=r"train and test are the same texts, .*a\.csv"):
            OwnTexts(train, test=train.parent / "." / ".." / train.parent.name / "a.csv")
        with pytest.raises(InputError, match=r"val and test are the same texts"):
            OwnTexts(train, val=test, test=test)

    @pytest.mark.parametrize("fraction", [0, 1.0, None])
    def test_wrong_fraction(self, table, fraction):
        with pytest.raises(InputError, match=r"test_fraction is .*; allowed are fractions"):
            OwnTexts(table(x=2, y=2), test_fraction=fraction)


class TestFingerprint:
    def test_follows_the_content_and_the_options_that_count(self, table):
        train, test, val = table("a.csv", x=2, y=2), table("b.csv", x=1), table("c.csv", x=1)
        made = [
            OwnTexts(train),
            OwnTexts(train, test_fraction=0.3),
            OwnTexts(train, test=test),
            OwnTexts(train, test=test, val=val),
            OwnTexts(train, val=val),
            OwnTexts(train, test=val),
            OwnTexts(train, reading=Reading(label_column="text", text_columns=("label",))),
            OwnTexts(train, reading=Reading(quotes=False)),
            OwnTexts(train, reading=Reading(columns=("text", "label"))),
        ]
        prints = {source.fingerprint() for source in made}
        assert len(prints) == len(made)
        assert OwnTexts(train, test=test, test_fraction=0.3).fingerprint() == made[2].fingerprint()
        assert OwnTexts(str(train)).fingerprint() == made[0].fingerprint()
        with train.open("a") as file:
            file.write("\nnew,x")
        assert made[0].fingerprint() not in prints

    def test_of_a_folder(self, table, tmp_path):
        for label in ("x", "y"):
            (tmp_path / "texts" / label).mkdir(parents=True)
            (tmp_path / "texts" / label / "1.txt").write_text("good")
        source = OwnTexts(tmp_path / "texts")
        before = source.fingerprint()
        assert source.fingerprint() == before
        (tmp_path / "texts" / "x" / "2").write_text("best")
        assert source.fingerprint() == before
        assert OwnTexts(tmp_path / "texts", reading=Reading(pattern="*")).fingerprint() != before
        (tmp_path / "texts" / "x" / "1.txt").write_text("better")
        assert source.fingerprint() != before
