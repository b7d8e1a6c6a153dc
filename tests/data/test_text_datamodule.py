import csv
import json
import random
from pathlib import Path

import pytest
import torch
import yaml
from jsonargparse import ArgumentParser
from lightning.pytorch import Trainer
from support.trainers import fast_adam
from torch.nn import functional as F

from seqclass.classifier import TextClassifier
from seqclass.cli import main
from seqclass.data import IMDBDataModule, TextDataModule
from seqclass.errors import InputError
from seqclass.models import StackOptions
from seqclass.text import KERAS_FILTERS, TextPipeline
from seqclass.training import SequenceClassifier, new_classifier

CONFIG = Path(__file__).parents[2] / "configs" / "text.yaml"

WORDS = {"praise": ("wonderful", "superb"), "blame": ("awful", "dull"), "question": ("why", "when")}
PLAIN = ("film", "story", "the", "a", "actor", "scene", "music", "ending")


def texts(size, *labels, seed=5):
    """Pairs of text and label, whose words tell the label."""
    draw = random.Random(seed)
    made = []
    for label in draw.choices(labels, k=size):
        words = draw.choices(PLAIN, k=draw.randrange(4, 20)) + draw.choices(WORDS[label], k=2)
        draw.shuffle(words)
        made.append((" ".join(words), label))
    return made


def write_csv(path, pairs, columns=("text", "label")):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *pairs])
    return str(path)


@pytest.fixture
def module(tmp_path):
    """Makes a module for 60 texts of three classes, ready to use."""
    train = write_csv(tmp_path / "reviews.csv", texts(60, *WORDS))

    def make(**options):
        data = TextDataModule(**{"train": train, "maxlen": 24, "batch_size": 8, "seed": 7, **options})
        data.prepare_data()
        data.setup()
        return data

    return make


def printed_metric(name, capsys):
    (line,) = (line for line in capsys.readouterr().out.splitlines() if f" {name} " in line and "│" in line)
    return float(line.split("│")[2])


def ids(loader):
    return torch.cat([batch.ids for batch in loader]).tolist()


def test_every_option_is_a_plain_value_of_the_command_line():
    def defaults(data_module):
        parser = ArgumentParser()
        parser.add_class_arguments(data_module, "data")
        return vars(parser.get_defaults().data)

    own, imdb = defaults(TextDataModule), defaults(IMDBDataModule)
    assert {name: value for name, value in own.items() if name not in imdb} == {
        **{"train": None, "test": None, "val": None, "test_fraction": 0.2},
        **{"text_column": "text", "label_column": "label", "columns": None, "delimiter": None},
        **{"quotes": True, "pattern": "*.txt"},
        **{"encoding": "utf-8", "label_separator": None, "empty_texts": "error"},
    }
    assert {name: value for name, value in own.items() if name in imdb and value != imdb[name]} == {
        **{"validation": 0.1, "unseen_words": "oov", "lower": "unicode", "strip_html": "breaks"},
    }
    assert imdb["filters"] is own["filters"] is None
    filters = TextDataModule(train="never read.csv").tokenizer.filters
    keras = IMDBDataModule().tokenizer.filters
    assert filters.startswith(keras)
    assert filters.endswith("“”„«»‹›…–—¿¡")
    assert filters[len(keras) : -len("“”„«»‹›…–—¿¡")].isspace()


class TestParts:
    def test_from_one_file(self, module):
        data = module()
        assert data.source_name == "reviews.csv"
        assert data.label_names == ("blame", "praise", "question")
        assert (data.train_size, data.val_size, data.test_size) == (42, 5, 13)
        assert data.predict_dataloader().names[0].startswith("reviews.csv:")

    def test_the_test_texts_are_never_trained_or_validated_on_whatever_the_seed(self, module):
        tests, held = [], set()
        for seed in range(4):
            data = module(seed=seed)
            tests.append(list(data.test_dataloader().names))
            held.add(tuple(data.val_dataloader().names))
            names = [*data.train_dataloader().names, *data.val_dataloader().names, *tests[-1]]
            assert sorted(names) == sorted(f"reviews.csv:{line}" for line in range(2, 62))
        assert all(names == tests[0] for names in tests)
        assert len(held) > 1

    def test_words_of_the_test_texts_are_unknown(self, module):
        vocabulary = module().pipeline.vocabulary
        assert "film" in vocabulary.words
        assert module(num_words=None).pipeline.encode("film zebra") == [1, vocabulary.encode(["film"])[1], 2]

    def test_from_files_of_their_own(self, module, tmp_path):
        test = write_csv(tmp_path / "test.csv", texts(9, "blame", seed=1))
        val = write_csv(tmp_path / "val.csv", texts(7, "praise", seed=2))
        data = module(test=test, val=val)
        assert (data.train_size, data.val_size, data.test_size) == (60, 7, 9)
        assert data.val_dataloader().labels.tolist() == [1] * 7
        assert data.val_dataloader().names[0] == "val.csv:2"
        data = module(test=test, validation="test")
        assert (data.train_size, data.val_size, data.test_size) == (60, 9, 9)

    def test_every_form_holds_the_same_texts(self, module, tmp_path):
        pairs = texts(60, *WORDS)
        (tmp_path / "reviews.jsonl").write_text(
            "\n".join(json.dumps({"body": text, "kind": label}) for text, label in pairs)
        )
        (tmp_path / "reviews.tsv").write_text("kind\tbody\n" + "\n".join(f"{label}\t{text}" for text, label in pairs))
        for number, (text, label) in enumerate(pairs):
            (tmp_path / "reviews" / label).mkdir(parents=True, exist_ok=True)
            (tmp_path / "reviews" / label / f"{number}.txt").write_text(text)
        test = write_csv(tmp_path / "test.csv", texts(9, "blame", seed=1), ("body", "kind"))
        columns = {"text_column": "body", "label_column": "kind", "test": test}
        forms = [module(train=str(tmp_path / f"reviews{suffix}"), **columns) for suffix in (".jsonl", ".tsv", "")]
        rows = [
            sorted(
                (data.pipeline.decode(row), label)
                for loader in (data.train_dataloader(), data.val_dataloader())
                for row, label in zip(loader.ids.tolist(), loader.labels.tolist(), strict=True)
            )
            for data in forms
        ]
        assert rows[0] == rows[1] == rows[2]


@pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")
def test_balanced_class_weights_follow_the_texts_that_are_trained_on(module, tmp_path):
    pairs = [*texts(60, "praise", seed=1), *texts(20, "blame", seed=2)]
    data = module(train=write_csv(tmp_path / "uneven.csv", pairs), validation=0.25)
    assert data.class_counts == [12, 36]
    classifier = new_classifier(data, stack="lstm", hidden_size=4, embedding_dim=4, class_weights="balanced")
    trainer = Trainer(
        max_epochs=1, accelerator="cpu", logger=False, enable_progress_bar=False, enable_checkpointing=False
    )
    trainer.fit(classifier, data)
    assert classifier.class_weights == [48 / 24, 48 / 72]
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    again = SequenceClassifier.load_from_checkpoint(tmp_path / "a.ckpt")
    logits, labels = torch.tensor([0.3, -0.2, 0.9]), torch.tensor([0, 1, 1])
    assert (
        again.loss(logits, labels)
        == classifier.loss(logits, labels)
        != F.binary_cross_entropy_with_logits(logits, labels.float())
    )


@pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")
class TestMultiLabel:
    @staticmethod
    def pairs(size, labels):
        draw = random.Random(3)
        made = []
        for _ in range(size):
            chosen = [label for label in labels if draw.random() < 0.5]
            words = draw.choices(PLAIN, k=6) + [draw.choice(WORDS[label]) for label in chosen]
            draw.shuffle(words)
            made.append((" ".join(words), "; ".join(chosen)))
        return made

    @pytest.mark.parametrize("labels", [("praise", "blame"), ("praise", "blame", "question")])
    def test_each_label_is_decided_alone(self, module, tmp_path, labels):
        train = write_csv(tmp_path / "many.csv", self.pairs(400, labels))
        data = module(train=train, label_separator=";")
        assert data.label_names == tuple(sorted(labels))
        assert data.train_dataloader().labels.shape == (data.train_size, len(labels))
        classifier = new_classifier(data, stack="lstm", hidden_size=16, embedding_dim=8, optimizer=fast_adam)
        trainer = Trainer(
            max_epochs=8, accelerator="cpu", logger=False, enable_progress_bar=False, enable_checkpointing=False
        )
        trainer.fit(classifier, data)
        assert trainer.callback_metrics["val_acc"] > 0.9
        trainer.save_checkpoint(tmp_path / "a.ckpt")
        again = TextClassifier.load(tmp_path / "a.ckpt")
        both, none = again.classify(["superb story the film a dull actor", "film the scene a music story"])
        assert (both.labels, none.labels) == (("blame", "praise"), ())
        (batch,) = list(data.test_dataloader())
        right = ((again(batch.ids) > 0).long() == batch.labels).all(dim=1).float().mean().item()
        (tested,) = trainer.test(SequenceClassifier(again), data, verbose=False)
        assert tested["test_acc"] == pytest.approx(right)

    def test_one_label_a_text_and_several_do_not_mix(self, module, tmp_path):
        train = write_csv(tmp_path / "many.csv", self.pairs(60, ("praise", "blame")))
        data = module(train=train, label_separator=";")
        trainer = Trainer(max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False)
        with pytest.raises(InputError, match="multi_label=False, but in the data a text has any number of labels"):
            new_classifier(data, stack="lstm", hidden_size=4, embedding_dim=4, multi_label=False)
        classifier = TextClassifier(StackOptions(num_embeddings=5000, hidden_size=4, embedding_dim=4))
        with pytest.raises(InputError, match="multi_label=False, but in the data a text has any number of labels"):
            trainer.fit(SequenceClassifier(classifier), data)
        with pytest.raises(InputError, match="class_weights do not go with several labels"):
            new_classifier(data, stack="lstm", hidden_size=4, embedding_dim=4, class_weights="balanced")


def test_rare_words_count_as_unseen(module, tmp_path):
    pairs = [*texts(60, *WORDS), ("zebra film", "praise"), ("zebra", "blame"), ("yak film", "praise")] * 2
    train, test = write_csv(tmp_path / "rare.csv", pairs), write_csv(tmp_path / "test.csv", pairs[:5])
    words = [module(train=train, test=test, min_count=count).pipeline.vocabulary.words for count in (1, 4)]
    assert set(words[0]) - set(words[1]) == {"yak"}
    with pytest.raises(InputError, match="min_count=2 does not go with word_index"):
        TextDataModule(train=train, min_count=2, word_index="index.json")


def test_fewer_texts_than_a_batch(module, tmp_path):
    data = module(train=write_csv(tmp_path / "few.csv", texts(12, "praise", "blame")), batch_size=64)
    (batch,) = list(data.train_dataloader())
    assert len(batch.labels) == data.train_size < 12


def test_null_characters_and_lone_surrogates_go_all_the_way(tmp_path, module):
    path = tmp_path / "odd.jsonl"
    odd = ["a\0b wonderful", "dull \ud800 film"] * 10
    path.write_text("\n".join(json.dumps({"text": text, "label": text[0]}) for text in odd))
    data = module(train=str(path))
    assert module(train=str(path)).pipeline == data.pipeline  # the second comes from the cache
    assert set(data.pipeline.vocabulary.words) == {"a\0b", "wonderful", "dull", "\ud800", "film"}


def test_texts_without_a_known_word_are_told(module, tmp_path, capsys):
    test = write_csv(tmp_path / "test.csv", [("film", "praise"), ("zzz qqq", "blame"), ("", "blame")])
    data = module(test=test, empty_texts="keep")
    assert data.test_size == 3
    told = capsys.readouterr().err
    assert "Warning: 2 texts of test hold no word of the vocabulary; the first is test.csv:3" in told


def test_other_alphabets_and_punctuation_are_words_too(tmp_path, module):
    pairs = [("«ФИЛЬМ» – чудо…", "praise"), ("фильм\r\nскучный\xa0и долгий", "blame")] * 10
    words = module(train=write_csv(tmp_path / "films.csv", pairs)).pipeline.vocabulary.words
    assert set(words) == {"фильм", "чудо", "скучный", "и", "долгий"}


class TestTokenizers:
    OTHERS = (
        {"tokenizer": "characters"},
        {"tokenizer": "regex", "token_pattern": r"\w+|[.!?]"},
        {"tokenizer": "regex", "token_pattern": r"\w+"},
        {"strip_html": True},
    )

    def test_each_has_an_encoding_of_its_own(self, module, cache):
        made = [module(**options) for options in ({}, *self.OTHERS)]
        assert len({data.pipeline.fingerprint() for data in made}) == 5
        assert len({str(ids(data.test_dataloader())) for data in made}) == 2  # no text has punctuation
        assert len(list((cache / "encoded").iterdir())) >= 5

    def test_all_white_space_separates_words(self, module):
        tokenizer = module().tokenizer
        spaces = [char for char in map(chr, range(0x110000)) if char.isspace()]
        assert {0x85, 0x2009, 0x2028, 0x202F, 0x3000} <= set(map(ord, spaces))
        for space in spaces:
            assert tokenizer(f"good{space}film") == ["good", "film"], hex(ord(space))

    def test_a_checkpoint_keeps_the_rule_it_was_trained_with(self, module):
        pipeline = module().pipeline
        state = pipeline.state()
        state["tokenizer"]["filters"] = KERAS_FILTERS + "\r\f\v\xa0“”„«»‹›…–—¿¡"  # as before all white space was in it
        before = TextPipeline.from_state(state)
        text = "good\u2009film good\xa0film"
        assert before.tokenizer(text) == ["good\u2009film", "good", "film"]
        data = module()
        data.use_pipeline(before)
        data.setup()
        assert data.pipeline.tokenizer(text) == before.tokenizer(text)
        assert pipeline.tokenizer(text) == ["good", "film"] * 2

    def test_filters_are_for_words_unless_given(self, module):
        assert module(tokenizer="characters").tokenizer.filters == ""
        assert module(tokenizer="characters", filters=",").tokenizer.filters == ","

    @pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")
    @pytest.mark.parametrize("options", OTHERS[:2])
    def test_a_checkpoint_reads_raw_text_as_training_did(self, module, tmp_path, options):
        pairs = [
            (f"{'good!' if n % 2 else 'bad.'} film <br /> {n % 7}", "praise" if n % 2 else "blame") for n in range(80)
        ]
        data = module(train=write_csv(tmp_path / "a.csv", pairs), **options)
        classifier = new_classifier(data, stack="lstm", hidden_size=4, embedding_dim=4, optimizer=fast_adam)
        trainer = Trainer(
            max_epochs=2, accelerator="cpu", logger=False, enable_progress_bar=False, enable_checkpointing=False
        )
        trainer.fit(classifier, data)
        trainer.save_checkpoint(tmp_path / "a.ckpt")
        again = TextClassifier.load(tmp_path / "a.ckpt")
        assert again.pipeline == data.pipeline
        loader = data.test_dataloader()
        lines = [int(name.partition(":")[2]) for name in loader.names]
        said = again.classify([pairs[line - 2][0] for line in lines])
        expected = torch.cat(trainer.predict(classifier, loader)).tolist()
        found = [[result.probabilities[name] for name in again.label_names] for result in said]
        assert [pytest.approx(row, abs=1e-6) for row in expected] == found

    def test_a_checkpoints_pattern_is_checked(self, module, tmp_path):
        state = module(**self.OTHERS[1]).pipeline.state()
        classifier = TextClassifier(StackOptions(num_classes=3, hidden_size=4, embedding_dim=4))
        about = {**classifier.description(), "pipeline": state, "label_names": ["a", "b", "c"]}
        checkpoint = {"seqclass": about, "state_dict": classifier.state_dict()}
        torch.save(checkpoint, tmp_path / "good.ckpt")
        assert TextClassifier.load(tmp_path / "good.ckpt").pipeline.tokenizer.kind == "regex"
        state["tokenizer"]["token_pattern"] = "(?P<x"
        torch.save(checkpoint, tmp_path / "bad.ckpt")
        with pytest.raises(InputError, match=r"bad\.ckpt does not describe .*: token_pattern '\(\?P<x' is not a"):
            TextClassifier.load(tmp_path / "bad.ckpt")


class TestCache:
    def test_a_second_start_does_not_read_the_texts(self, module, monkeypatch, capsys):
        before = ids(module().train_dataloader())
        assert "Encoding the texts of reviews.csv" in capsys.readouterr().err
        monkeypatch.setattr("seqclass.data.sources.own_texts.OwnTexts.texts", None)
        assert ids(module().train_dataloader()) == before
        assert capsys.readouterr().err == ""

    def test_a_changed_file_or_option_is_read_again(self, module, tmp_path):
        module()
        with (tmp_path / "reviews.csv").open("a") as file:
            file.write("zebra zebra,praise\n" * 5)
        assert "zebra" in module().pipeline.vocabulary.words
        assert module(test_fraction=0.5).test_size == 32


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"test_fraction": 1}, "test_fraction is 1; allowed are fractions above 0 and below 1"),
            ({"validation": "val"}, "validation is 'val'; allowed are 'test' and fractions"),
            ({"val": "a.csv", "validation": "test"}, "two parts to validate on: val='a.csv' and validation='test'"),
            ({"text_column": "label"}, "text_column and label_column name 'label' twice"),
            ({"text_column": ["title", "title"]}, "text_column and label_column name 'title' twice"),
            ({"text_column": []}, "text_column is empty; name a column"),
            ({"encoding": "utf-9"}, "encoding is 'utf-9'; allowed are the encodings of Python"),
            ({"columns": ["label", "body"]}, "columns has to name 'text' once"),
            ({"tokenizer": "regex"}, "'regex' needs a pattern"),
            (
                {"tokenizer": "regex", "token_pattern": "[a"},
                r"token_pattern '\[a' is not a regular expression: .* position 2",
            ),
            ({"encoding": "hex"}, "encoding is 'hex'; allowed are the encodings of Python"),
            ({"label_separator": " "}, "label_separator is ' '; it has to be more than spaces"),
            ({"empty_texts": "drop"}, "empty_texts is 'drop'; allowed are 'error', 'keep', 'skip'"),
            ({"maxlen": 0}, "maxlen is 0"),
        ],
    )
    def test_wrong_options_are_refused_at_once(self, options, message):
        with pytest.raises(InputError, match=message):
            TextDataModule(train="never read.csv", **options)

    def test_too_few_texts_of_a_class_for_both_hold_outs(self, module, tmp_path):
        pairs = [*texts(40, "praise", "blame"), *texts(2, "question")]
        data = module(train=write_csv(tmp_path / "few.csv", pairs))
        message = r"class question has a single text to train on \(few\.csv:4[23]\), and validation=0\.1 needs two"
        with pytest.raises(InputError, match=message):
            data.train_dataloader()


@pytest.mark.filterwarnings("ignore::UserWarning:lightning")
class TestRecipe:
    @pytest.fixture(autouse=True)
    def new_folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

    @staticmethod
    def run(command, *options):
        small = [
            *("--data.maxlen", "24", "--model.hidden_size", "8", "--model.embedding_dim", "8"),
            *("--data.batch_size", "16", "--data.validation", "0.1", "--trainer.accelerator", "cpu"),
        ]
        return main([command, "--config", str(CONFIG), *small, *options])

    @pytest.mark.parametrize("labels", [("praise", "blame"), ("praise", "blame", "question")])
    def test_fit_classify_validate_test_predict(self, labels, tmp_path, capsys):
        write_csv(tmp_path / "mine.csv", texts(200, *labels))
        assert self.run("fit", "--data.train", "mine.csv", "--trainer.max_epochs", "6") == 0
        accuracy = printed_metric("test_acc", capsys)
        assert accuracy > 0.9
        (kept,) = map(str, Path("runs/text/1/checkpoints").iterdir())

        assert main(["classify", kept, "a wonderful story the film superb", "the awful scene was dull"]) == 0
        found = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
        assert found == ["praise", "blame"]

        measure = ("--data.train", "mine.csv", "--ckpt_path", kept)
        assert self.run("test", *measure) == 0
        assert printed_metric("test_acc", capsys) == accuracy
        # The hold-out is the training run's, and so is its figure.
        assert self.run("validate", *measure) == 0
        figures = TextClassifier.load(kept).record["figures"]
        assert printed_metric("val_acc", capsys) == pytest.approx(figures["val_acc"])

        assert self.run("predict", *measure) == 0
        with Path("runs/text/4/predictions.csv").open() as file:
            rows = list(csv.DictReader(file))
        lines = Path("mine.csv").read_text().splitlines()
        right = [lines[int(row["name"].removeprefix("mine.csv:")) - 1].endswith(f",{row['predicted']}") for row in rows]
        assert sum(right) / len(right) == pytest.approx(accuracy)
        assert set(rows[0]) == {"name", "predicted", "probability", *(f"p({label})" for label in labels)}

    def test_keeps_the_last_epoch_and_tests_once_done(self):
        recipe = yaml.safe_load(CONFIG.read_text())
        assert recipe["test_after_fit"]
        assert recipe["data"]["init_args"]["validation"] == 0.05
        assert recipe["checkpoint"]["monitor"] is None
        assert recipe["model"]["lr_scheduler"]["class_path"] == "seqclass.schedules.WarmupCosine"

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (
                None,
                "there are no texts at mine.csv (train); allowed are .csv, .tsv, .jsonl, .ndjson, .json and .parquet",
            ),
            ("review,label\nx,y\n", "mine.csv:1: there is no column 'text'; the columns are 'review', 'label'"),
            ("text,label\nx,y\n", "mine.csv has to hold texts of at least two classes; all have the label 'y'"),
            ("text,label\nx,y\n" * 2 + "x,z\n", "class label has a single text to train on (mine.csv:3)"),
        ],
    )
    def test_what_cannot_be_used_is_one_clear_error(self, content, message, tmp_path, capsys):
        if content is not None:
            (tmp_path / "mine.csv").write_text(content)
        assert self.run("fit", "--data.train", "mine.csv") == 2
        told = capsys.readouterr().err
        assert told.count("error") == 1
        assert f"seqclass: error: {message}" in told
        assert "Traceback" not in told
