import json
import math
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from seqclass.classifier import TextClassifier, probabilities, read_checkpoint
from seqclass.errors import InputError
from seqclass.models import StackOptions
from seqclass.text import TextPipeline, Tokenizer, Vocabulary

SIZES = {"num_embeddings": 50, "num_classes": 2, "embedding_dim": 4, "hidden_size": 3}
FIRST_VERSION = Path(__file__).parent / "version_0_1"
"""Checkpoints that version 0.1 has written, and the probabilities that it gave some texts; see its README."""


def pipeline(*words):
    return TextPipeline(tokenizer=Tokenizer(), vocabulary=Vocabulary(words, num_words=50), maxlen=12)


class TestCheckpoint:
    def test_holds_plain_values_only(self, checkpoint):
        content = torch.load(checkpoint, weights_only=True)
        assert content["seqclass"]["label_names"] == ["neg", "pos"]

    def test_classifies_raw_text_from_this_file_alone(self, checkpoint):
        assert [file.name for file in checkpoint.parent.iterdir()] == ["model.ckpt"]
        classifier = TextClassifier.load(checkpoint)
        good, bad = classifier.classify(["a wonderful, moving film", "an awful, boring film"])
        assert (good.labels, bad.labels) == (("pos",), ("neg",))
        assert good.probability == good.probabilities["pos"] > 0.5
        assert sum(good.probabilities.values()) == pytest.approx(1)

    @pytest.mark.filterwarnings("ignore:.* have no word that the model knows")
    def test_same_results_as_before_it_was_saved(self, trained, checkpoint):
        classifier = trained[1].classifier
        texts = ["superb", "a dull story", "", "unknown words only"]
        loaded = TextClassifier.load(str(checkpoint))
        assert loaded.classify(texts) == classifier.classify(texts)

    @pytest.mark.filterwarnings("ignore:.* have no word that the model knows")
    def test_results_do_not_depend_on_the_batch(self, checkpoint):
        classifier = TextClassifier.load(checkpoint)
        texts = ["superb film", "dull", "the " * 40 + "awful", ""]
        together = classifier.classify(texts)
        alone = [classifier.classify([text], batch_size=1)[0] for text in texts]
        for one, other in zip(together, alone, strict=True):
            # Sums of a few hundred float32 products in another order.
            assert one.probability == pytest.approx(other.probability, abs=1e-6)

    def test_another_kernel(self, checkpoint):
        classifier = TextClassifier.load(checkpoint, kernel="reference")
        assert classifier.stack.recurrent.kernel == "reference"

    def test_classify_leaves_training_mode_as_it_was(self, checkpoint):
        classifier = TextClassifier.load(checkpoint).train()
        classifier.classify(["superb"])
        assert classifier.training

    def test_no_texts(self, checkpoint):
        assert TextClassifier.load(checkpoint).classify([]) == []

    def test_text_that_is_none(self, checkpoint):
        with pytest.raises(InputError, match=r"1.*int|int.*1"):
            TextClassifier.load(checkpoint).classify(["superb", 3])

    def test_missing_file(self, tmp_path):
        with pytest.raises(InputError, match=r"there is no checkpoint at .*nowhere.ckpt"):
            TextClassifier.load(tmp_path / "nowhere.ckpt")

    def test_file_of_another_kind(self, tmp_path):
        path = tmp_path / "text.ckpt"
        path.write_text("no weights here")
        with pytest.raises(InputError, match=r"text.ckpt is not a checkpoint"):
            read_checkpoint(path)

    def test_cut_file(self, checkpoint, tmp_path):
        path = tmp_path / "cut.ckpt"
        path.write_bytes(checkpoint.read_bytes()[:-1000])
        with pytest.raises(InputError, match=r"cut.ckpt is not a checkpoint, or only a part of one"):
            read_checkpoint(path)

    def test_folder(self, tmp_path):
        (tmp_path / "run").mkdir()
        with pytest.raises(InputError, match=r"run is a folder; name a checkpoint, such as checkpoints/last\.ckpt"):
            read_checkpoint(tmp_path / "run")

    def test_contents_that_cannot_be_found(self, checkpoint, tmp_path):
        path = tmp_path / "renamed.ckpt"
        path.write_bytes(checkpoint.read_bytes().replace(b"data.pkl", b"lost.pkl"))
        with pytest.raises(InputError, match=r"renamed\.ckpt is (a damaged checkpoint|damaged, or holds more)"):
            read_checkpoint(path)

    def test_checkpoint_of_another_model(self, tmp_path):
        path = tmp_path / "other.ckpt"
        torch.save({"state_dict": {}}, path)
        with pytest.raises(InputError, match="is not a checkpoint of a seqclass model"):
            read_checkpoint(path)

    def test_code_in_a_checkpoint_is_not_run(self, tmp_path):
        class Trap:
            def __reduce__(self):
                return (print, ("the trap has run",))

        path = tmp_path / "trap.ckpt"
        torch.save({"seqclass": Trap()}, path, pickle_module=pickle)
        with pytest.raises(InputError, match="more than the plain values"):
            read_checkpoint(path)

    def test_weights_that_do_not_fit(self, checkpoint, tmp_path):
        content = torch.load(checkpoint, weights_only=True)
        content["seqclass"]["options"]["hidden_size"] = 9
        path = tmp_path / "wrong.ckpt"
        torch.save(content, path)
        with pytest.raises(InputError, match=r"wrong.ckpt does not describe a classifier"):
            TextClassifier.load(path)

    @pytest.mark.parametrize("suffix", ["ckpt", "safetensors"])
    @pytest.mark.parametrize("value", [math.nan, math.inf])
    def test_weights_of_a_training_that_diverged(self, suffix, value, checkpoint, tmp_path):
        classifier = TextClassifier.load(checkpoint)
        with torch.no_grad():
            classifier.stack.recurrent.weight_ih[:2, 0] = value
        classifier.save(tmp_path / f"diverged.{suffix}")
        message = (
            r"diverged: 2 of the 256 numbers of stack\.recurrent\.weight_ih are not finite; use an earlier checkpoint"
        )
        with pytest.raises(InputError, match=message):
            TextClassifier.load(tmp_path / f"diverged.{suffix}")

    def test_model_without_a_pipeline_says_so(self):
        with pytest.raises(InputError, match="no text pipeline"):
            TextClassifier(StackOptions(**SIZES)).classify(["superb"])


def test_texts_that_say_nothing_get_one_answer_and_a_warning(checkpoint):
    classifier = TextClassifier.load(checkpoint)
    with pytest.warns(UserWarning, match="3 of 4 texts have no word that the model knows.*; the first is ''"):
        said, *nothing = classifier.classify(["a wonderful film", "", "?!", "zzz qqq"])
    assert nothing[0] == nothing[1] == nothing[2]
    assert all(math.isfinite(result.probability) for result in (said, *nothing))


class TestSafetensors:
    @pytest.fixture
    def saved(self, checkpoint, tmp_path):
        TextClassifier.load(checkpoint).save(tmp_path / "model.safetensors")
        return tmp_path / "model.safetensors"

    def test_holds_everything(self, checkpoint, saved):
        one, other = TextClassifier.load(checkpoint), TextClassifier.load(saved)
        assert other.description() == one.description()
        assert other.classify(["a superb film", "dull"]) == one.classify(["a superb film", "dull"])

    def test_the_weights_are_those_that_any_reader_finds(self, checkpoint, saved):
        from safetensors.torch import load_file

        weights = TextClassifier.load(checkpoint).state_dict()
        assert {name: tensor.tolist() for name, tensor in load_file(saved).items()} == {
            name: tensor.tolist() for name, tensor in weights.items()
        }

    @pytest.mark.parametrize("content", [b"", b"no weights here", None])
    def test_broken_files(self, saved, content):
        saved.write_bytes(saved.read_bytes()[:-100] if content is None else content)
        with pytest.raises(InputError, match=r"model\.safetensors is not a safetensors file, or is damaged"):
            TextClassifier.load(saved)

    @pytest.mark.parametrize("metadata", [None, {"seqclass": "[1]"}, {"seqclass": "{"}, {"other": "{}"}])
    def test_a_file_of_another_model(self, tmp_path, metadata):
        from safetensors.torch import save_file

        save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors", metadata)
        with pytest.raises(InputError, match=r"other\.safetensors is not a checkpoint of a seqclass model"):
            TextClassifier.load(tmp_path / "other.safetensors")


class TestFirstVersion:
    @pytest.mark.parametrize("path", sorted(FIRST_VERSION.glob("*.ckpt")), ids=lambda path: path.stem)
    def test_its_checkpoints_give_the_same_answers(self, path):
        expected = json.loads(path.with_suffix(".json").read_text())
        classifier = TextClassifier.load(path)
        assert classifier.options.stack == path.stem
        for text, result in zip(expected, classifier.classify(list(expected)), strict=True):
            assert result.probabilities == pytest.approx(expected[text], abs=1e-6)  # sums of float32 products

    def test_there_are_some(self):
        assert len(list(FIRST_VERSION.glob("*.ckpt"))) == 2


class TestWhatAFileAsksFor:
    """A file may come from anyone: it gets no more memory and time than its size warrants."""

    @pytest.mark.parametrize(
        ("option", "value", "message"),
        [
            ("num_layers", 1_000_000, "num_layers is 1000000; allowed are whole numbers"),
            ("hidden_size", 2**20, "size mismatch"),
            ("num_embeddings", 2**50, "size mismatch"),
            ("hidden_size", "many", "does not describe a classifier"),
            ("stack", "rnn", "stack is 'rnn'; allowed are 'lstm'"),
            ("units", 3, "there is no option 'units'"),
        ],
    )
    def test_sizes_that_its_weights_do_not_have(self, checkpoint, tmp_path, option, value, message):
        content = torch.load(checkpoint, weights_only=True)
        content["seqclass"]["options"][option] = value
        torch.save(content, tmp_path / "greedy.ckpt")
        with pytest.raises(InputError, match=f"(?s)greedy.ckpt does not describe a classifier: .*{message}|{message}"):
            TextClassifier.load(tmp_path / "greedy.ckpt")

    @pytest.mark.parametrize("maxlen", [2**40, 1_000_001])
    def test_texts_that_no_memory_holds(self, checkpoint, tmp_path, maxlen):
        content = torch.load(checkpoint, weights_only=True)
        content["seqclass"]["pipeline"]["maxlen"] = maxlen
        torch.save(content, tmp_path / "greedy.ckpt")
        with pytest.raises(InputError, match=f"maxlen is {maxlen}; allowed are whole numbers from 1 to 1,000,000"):
            TextClassifier.load(tmp_path / "greedy.ckpt")

    @pytest.mark.parametrize("entry", ["options", "pipeline", "label_names"])
    def test_entries_that_are_not_there(self, checkpoint, tmp_path, entry):
        content = torch.load(checkpoint, weights_only=True)
        del content["seqclass"][entry]
        torch.save(content, tmp_path / "poor.ckpt")
        with pytest.raises(InputError, match=r"poor\.ckpt does not describe a classifier"):
            TextClassifier.load(tmp_path / "poor.ckpt")


class TestParts:
    def test_more_ids_than_rows(self):
        with pytest.raises(InputError, match="the text pipeline has 50 ids, but the embedding num_embeddings=9 rows"):
            TextClassifier(StackOptions(num_embeddings=9), pipeline=pipeline("film"))

    def test_texts_shorter_than_the_pooling(self):
        options = StackOptions(stack="cnn_lstm", **SIZES, pool_size=13)
        with pytest.raises(InputError, match=r"maxlen=12 is shorter than pool_size=13.* a pool_size from 1 to 12"):
            TextClassifier(options, pipeline=pipeline("a"))

    def test_label_names_that_are_too_many(self):
        with pytest.raises(InputError, match="there are 3 label names, but num_classes=2"):
            TextClassifier(StackOptions(**SIZES), label_names=("a", "b", "c"))

    def test_probabilities_and_logits_of_ids(self):
        torch.manual_seed(0)
        classifier = TextClassifier(StackOptions(**{**SIZES, "num_classes": 3}), label_names=("a", "b", "c")).eval()
        ids = torch.randint(1, 50, (5, 9))
        logits = classifier.logits(ids)
        assert torch.equal(logits, classifier(ids))
        torch.testing.assert_close(classifier.probabilities(ids), logits.softmax(dim=1))

    def test_small_probabilities_keep_their_digits_on_both_sides(self):
        p = probabilities(torch.tensor([-30.0, 30.0], dtype=torch.float32))
        assert p[0, 1].item() == pytest.approx(math.exp(-30), rel=1e-5)
        assert p[1, 0].item() == pytest.approx(math.exp(-30), rel=1e-5)

    def test_several_labels(self, labels_checkpoint):
        good, both, none = TextClassifier.load(labels_checkpoint).classify(["superb film", "superb dull", "the film"])
        assert (good.labels, set(both.labels), none.labels) == (("good",), {"good", "bad"}, ())


def test_using_a_classifier_imports_neither_lightning_nor_torchmetrics(checkpoint):
    program = (
        "import sys; from seqclass import TextClassifier; import seqclass.evaluation.prediction, seqclass.interop\n"
        f"print(TextClassifier.load({str(checkpoint)!r}).classify(['superb'])[0].labels)\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'lightning', 'torchmetrics', 'sklearn'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["('pos',)", "[]"]
