"""Write the folders beside this file with Hugging Face's `datasets` (5.2.0 here): python make_datasets.py

`reviews` is a `Dataset`, in two files, and `splits` a `DatasetDict`. Their rows are those of `ROWS`.
"""

from pathlib import Path

from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

ROWS = [
    ("a wonderful film, née", 1, "t1"),
    ("a dull film", 0, "t2"),
    ("moving,\nand superb", 1, None),
    ("", 0, "t4"),
    ("boring", 0, "t5"),
]
FEATURES = Features(
    {"text": Value("string"), "label": ClassLabel(names=["neg", "pos"]), "title": Value("string")},
)


def dataset(rows):
    texts, labels, titles = zip(*rows, strict=True)
    return Dataset.from_dict(
        {"text": list(texts), "label": list(labels), "title": list(titles)},
        features=FEATURES,
    )


if __name__ == "__main__":
    here = Path(__file__).parent
    dataset(ROWS).save_to_disk(here / "reviews", num_shards=2)
    unlabelled = dataset([("not labelled", -1, "u1")])
    splits = {"train": dataset(ROWS), "validation": dataset(ROWS[:2]), "test": dataset(ROWS[2:3])}
    DatasetDict({**splits, "unsupervised": unlabelled}).save_to_disk(here / "splits")
