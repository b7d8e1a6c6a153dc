"""Public data sets as they lie on people's disks: each trains with the options that docs/own_texts.md names for it."""

import csv
import gzip
import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from seqclass.cli import main

CONFIG = Path(__file__).parents[2] / "configs" / "text.yaml"

WORDS = {"1": "stocks profit", "2": "coach goal", "3": "robot software", "4": "treaty minister"}
PLAIN = ("news", "the", "a", "of", "today", "says", "new", "in")

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")


def pairs(*labels, size=160):
    draw = random.Random(4)
    made = []
    for number in range(size):
        label = labels[number % len(labels)]
        words = draw.choices(PLAIN, k=draw.randrange(4, 12)) + draw.choices(WORDS[label].split(), k=2)
        draw.shuffle(words)
        made.append((" ".join(words), label))
    return made


def write_csv(path, rows, **options):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, **options).writerows(rows)
    return path


def write_lines(path, objects):
    lines = "".join(json.dumps(entry) + "\n" for entry in objects).encode()
    path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)
    return path


def write_parquet(path, columns, features):
    table = pa.table(columns).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, path)
    return path


def ag_news(folder):
    rows = [(label, f'He said "{text[:9]}"', f"{text}\\band, really") for text, label in pairs("1", "2", "3", "4")]
    return write_csv(folder / "train.csv", rows, quoting=csv.QUOTE_ALL)


def yahoo_answers(folder):
    rows = [
        (label, f"{text}?", "" if number % 3 else "why?\\nwhat", text if number % 4 else "it is<br />so")
        for number, (text, label) in enumerate(pairs("1", "2", "3", "4"))
    ]
    return write_csv(folder / "train.csv", rows, quoting=csv.QUOTE_ALL)


def sst2(folder):
    lines = [f'{text} "{text[:4]} \t{int(label) - 1}' for text, label in pairs("1", "2")]
    (folder / "train.tsv").write_text("\n".join(["sentence\tlabel", *lines]) + "\n", encoding="utf-8")
    return folder / "train.tsv"


def cola(folder):
    lines = [f"gj04\t{int(label) - 1}\t{'*' if label == '1' else ''}\t{text}" for text, label in pairs("1", "2")]
    (folder / "in_domain_train.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "in_domain_train.tsv"


def newsgroups(folder):
    names = {"1": "misc.forsale", "2": "rec.sport.hockey", "3": "comp.graphics"}
    for number, (text, label) in enumerate(pairs(*names)):
        group = folder / "20news" / names[label]
        group.mkdir(parents=True, exist_ok=True)
        content = f"From: someone@host.edu (J\xf6rg)\nSubject: Re: {text[:9]}\n\n{text}\n"
        (group / str(49960 + number)).write_bytes(content.encode("latin-1"))
    return folder / "20news"


def yelp(folder):
    objects = [
        {"review_id": "x", "stars": float(label), "text": text, "date": "2016", "votes": {"cool": 0}}
        for text, label in pairs("1", "2", "3", "4")
    ]
    return write_lines(folder / "yelp_academic_dataset_review.json", objects)


def amazon(folder):
    objects = [
        {"asin": "x", "overall": float(label), "summary": text[:9], "reviewText": text, "helpful": [0, 1]}
        for text, label in pairs("1", "2")
    ]
    return write_lines(folder / "reviews_Books_5.json.gz", objects)


def hugging_face(folder):
    texts, labels = zip(*pairs("1", "2"), strict=True)
    columns = {
        "text": pa.array(texts).dictionary_encode(),
        "label": [int(label) - 1 for label in labels],
        "meta": [{"id": 1, "source": "web"}] * len(texts),
    }
    features = {"label": {"names": ["business", "sports"], "_type": "ClassLabel"}}
    return write_parquet(folder / "train-00000-of-00001.parquet", columns, features)


def nested_parquet(folder):
    reviews = [{"title": text[:5], "body": text} for text, _ in pairs("1", "2")]
    labels = pa.array([label for _, label in pairs("1", "2")]).dictionary_encode()
    return write_parquet(folder / "reviews.parquet", {"review": reviews, "stars": labels}, {})


def go_emotions(folder):
    texts, labels = zip(*pairs("1", "2"), strict=True)
    columns = {"text": texts, "labels": [[int(label) - 1] for label in labels]}
    features = {"labels": {"feature": {"names": ["joy", "fear"], "_type": "ClassLabel"}, "_type": "Sequence"}}
    return write_parquet(folder / "train.parquet", columns, features)


@pytest.mark.parametrize(
    ("write", "options", "labels"),
    [
        (ag_news, ["--data.columns", "[label, title, text]", "--data.text_column", "[title, text]"], [*"1234"]),
        (
            yahoo_answers,
            [
                *("--data.columns", "[label, title, content, answer]"),
                *("--data.text_column", "[title, content, answer]"),
            ],
            [*"1234"],
        ),
        (sst2, ["--data.text_column", "sentence", "--data.quotes", "false"], [*"01"]),
        (cola, ["--data.columns", "[source, label, mark, text]", "--data.quotes", "false"], [*"01"]),
        (
            newsgroups,
            ["--data.pattern", "*", "--data.encoding", "latin-1"],
            ["comp.graphics", "misc.forsale", "rec.sport.hockey"],
        ),
        (yelp, ["--data.label_column", "stars"], [*"1234"]),
        (
            amazon,
            ["--data.text_column", "[summary, reviewText]", "--data.label_column", "overall"],
            [*"12"],
        ),
        (hugging_face, [], ["business", "sports"]),
        (nested_parquet, ["--data.text_column", "review.body", "--data.label_column", "stars"], [*"12"]),
        (go_emotions, ["--data.label_column", "labels", "--data.label_separator", ";"], ["fear", "joy"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_trains_from_the_command_line(write, options, labels, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = [
        *("--data.maxlen", "40", "--model.hidden_size", "8", "--model.embedding_dim", "8"),
        *("--model.optimizer.lr", "0.02", "--trainer.accelerator", "cpu", "--trainer.max_epochs", "8"),
        *("--data.batch_size", "8"),
    ]
    assert main(["fit", "--config", str(CONFIG), "--data.train", str(write(tmp_path)), *small, *options]) == 0
    checkpoint = torch.load("runs/text/1/checkpoints/last.ckpt", weights_only=True)
    assert checkpoint["seqclass"]["label_names"] == labels
    (line,) = (line for line in capsys.readouterr().out.splitlines() if " test_acc " in line)
    assert float(line.split("│")[2]) > 0.9
