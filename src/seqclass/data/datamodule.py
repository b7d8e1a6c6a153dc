"""From a source to batches, in Lightning's terms."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from lightning.pytorch import LightningDataModule

from seqclass.checks import check_whole
from seqclass.data.batches import Batches, PaddedOnDemand
from seqclass.data.encoded import EncodedPart, EncodedTexts
from seqclass.data.encoding_options import EncodingOptions
from seqclass.data.sources import Reading, Source
from seqclass.data.split import check_fraction, stratified_holdout
from seqclass.data.unlabelled import Unlabelled
from seqclass.text import (
    KERAS_FILTERS,
    BaseTokenizer,
    Lower,
    RaggedIds,
    Side,
    StripHtml,
    TextPipeline,
    Tokenizer,
    TokenizerKind,
    TorchtextTokenizer,
    TorchtextTokenizerName,
    UnseenWords,
)

_Rows: TypeAlias = npt.NDArray[np.int64]


MATRIX_BYTES = 1 << 28
"""The largest padded matrix that a data loader keeps in memory; larger ones are made batch by batch."""


class EncodedDataModule(LightningDataModule, ABC):
    """Encodes the texts of a source once, keeps them in the cache, and makes batches of them.

    A subclass provides the source. The vocabulary is built from all training texts, those later held out for
    validation included (their words are counted, their labels not seen).

    Args:
        word_index: a JSON file that maps words to ranks, such as Keras' `imdb_word_index.json`; None builds
            the vocabulary from the training texts.
        num_words: number of ids, and so of the embedding's rows; "auto" for as many as the training texts need, at most
            30,000; None for no limit. See `Vocabulary` for this and the next six.
        min_count: words that occur less often in the training texts count as unseen; not with `word_index`.
        skip_top: smallest id that is kept.
        start_char: id put before every text; None for none.
        oov_char: id that replaces words outside the limits; None leaves them out.
        index_from: what is added to a word's rank.
        unseen_words: whether a word outside the vocabulary is left out ("skip") or becomes `oov_char`
            ("oov").
        tokenizer: what a text is split into: "words", what a "regex" matches, or "characters". See `Tokenizer` for
            this and the next four.
        token_pattern: the regular expression of the tokenizer "regex", such as `\\w+|[.!?]`.
        lower: which letters are lower-cased: "ascii", "unicode" or "none".
        filters: the characters that are replaced by a space; None for punctuation with the tokenizer "words" (Keras'
            rule), and for none with the others.
        strip_html: replace HTML by spaces: "breaks" only `<br />`, True all tags.
        torchtext_tokenizer: split with one of torchtext's tokenizers, such as "basic_english"; the five options before
            do not apply then. Needs the extra `torchtext`, and so does the checkpoint.
        maxlen: length to which texts are cut or padded; "auto" for the longest training text's, at most 1,000.
        padding: the side that is filled, "pre" or "post".
        truncating: the side that is cut, "pre" or "post".
        batch_size: texts in a training batch. Several processes share each batch, so that the number of processes
            does not change what is learned.
        eval_batch_size: texts in a batch of validation, test and prediction; shared likewise.
        validation: "test" validates on the test texts, as the Keras notebook does: its figures are then no
            estimate for a model that was chosen by them. A number between 0 and 1 holds out that fraction of
            the training texts, the same of every class; see `stratified_holdout`.
        unlabelled: more texts without labels, as `seqclass pretrain` takes them: a path, or several, of tables, folders
            or archives. `new_classifier` uses them for word vectors (`pretrained`) and self-training (`teacher`).
        seed: of the shuffles and the hold-out; None takes the one that torch was seeded with, so that
            `seed_everything` decides it. It is saved in checkpoints, and a resumed run uses it again.
        cache_dir: folder of the cache; None for SEQCLASS_CACHE, else `seqclass` in the user's cache folder.

    Attributes:
        source_name: what the data set is called in results. This and the next are known after `setup`.
        label_names: the classes; a label is an index into them.
        pipeline: from text to ids, as this data set was encoded.
        batch_size: texts in a training batch; Lightning's batch-size finder sets it.
        unlabelled_paths: of texts without labels; empty for none.

    Raises:
        InputError: if an option has a wrong value.
    """

    word_filters: ClassVar[str] = KERAS_FILTERS
    """What `filters` are for words, if nothing else is said."""

    def __init__(
        self,
        *,
        word_index: str | None = None,
        num_words: int | Literal["auto"] | None = 5000,
        min_count: int = 1,
        skip_top: int = 0,
        start_char: int | None = 1,
        oov_char: int | None = 2,
        index_from: int = 3,
        unseen_words: UnseenWords = "skip",
        tokenizer: TokenizerKind = "words",
        token_pattern: str | None = None,
        lower: Lower = "ascii",
        filters: str | None = None,
        strip_html: StripHtml = False,
        torchtext_tokenizer: TorchtextTokenizerName | None = None,
        maxlen: int | Literal["auto"] = 500,
        padding: Side = "pre",
        truncating: Side = "pre",
        batch_size: int = 64,
        eval_batch_size: int = 250,
        validation: Literal["test"] | float = "test",
        unlabelled: list[str] | str | None = None,
        seed: int | None = None,
        cache_dir: str | None = None,
    ) -> None:
        super().__init__()
        if filters is None:
            filters = self.word_filters if tokenizer == "words" else ""
        splits: BaseTokenizer = Tokenizer(
            kind=tokenizer, token_pattern=token_pattern, lower=lower, filters=filters, strip_html=strip_html
        )
        if torchtext_tokenizer is not None:
            splits = TorchtextTokenizer(torchtext=torchtext_tokenizer)
        self._options = EncodingOptions(
            tokenizer=splits,
            vocabulary={
                "num_words": num_words,
                "skip_top": skip_top,
                "start_char": start_char,
                "oov_char": oov_char,
                "index_from": index_from,
                "unseen_words": unseen_words,
            },
            padding={"maxlen": maxlen, "padding": padding, "truncating": truncating},
            min_count=min_count,
            word_index=word_index,
            cache_dir=cache_dir,
        )
        check_whole("batch_size", batch_size, least=1)
        check_whole("eval_batch_size", eval_batch_size, least=1)
        check_whole("seed", seed, least=0, or_none=True)
        if validation != "test":
            check_fraction("validation", validation, besides="'test'")
        self.batch_size = batch_size
        self._eval_batch_size = eval_batch_size
        # The name of a part, or the fraction of the training part that is held out.
        self._validation: str | float = validation
        self.unlabelled_paths = [unlabelled] if isinstance(unlabelled, str) else list(unlabelled or ())
        self._reading = Reading()
        self._given_seed = seed
        self._torch_seed: int | None = None
        self._cache_dir = cache_dir
        self._given_pipeline: TextPipeline | None = None
        self._given_labels: tuple[str, ...] = ()
        self._encoded: EncodedTexts | None = None
        self._kept_holdout: tuple[int, _Rows, _Rows] | None = None
        self._unlabelled: Unlabelled | None = None

    @abstractmethod
    def find_source(self, *, allow_download: bool) -> Source:
        """Return the source of the texts.

        Args:
            allow_download: whether it may be downloaded if it is not on this machine.

        Raises:
            InputError: if it cannot be found.
        """

    def use_pipeline(self, pipeline: TextPipeline, label_names: Sequence[str] = ()) -> None:
        """Encode as a trained model does, overriding the options.

        Args:
            pipeline: the model's.
            label_names: its classes, in its order; empty to take those of the texts.
        """
        self._given_pipeline = pipeline
        self._given_labels = tuple(label_names)
        self._encoded = self._unlabelled = None

    @property
    def unlabelled(self) -> Unlabelled | None:
        """The texts without labels, read when they are first asked for; None if none are given."""
        if self._unlabelled is None and self.unlabelled_paths:
            self._unlabelled = Unlabelled(
                self.unlabelled_paths,
                reading=self._reading,
                pipeline=self.pipeline,
                num_classes=len(self.label_names),
                labelled=[part.ids for part in self._ready.parts.values()],
            )
        return self._unlabelled

    @property
    def soft_labelled(self) -> Unlabelled | None:
        """Those texts once they have soft labels (`Unlabelled.label`): they are trained on too, and none evaluated."""
        return self._unlabelled if self._unlabelled is not None and self._unlabelled.is_labelled else None

    @property
    def overridden_options(self) -> list[str]:
        """The options that the pipeline in use overrides, each as "name=value (given: value)"."""
        return [] if self._given_pipeline is None else self._options.overridden_by(self._given_pipeline)

    def prepare_data(self) -> None:
        """Download and encode what is not in the cache. Lightning calls it in one process per machine."""
        self._open(self.find_source(allow_download=True))

    def setup(self, stage: str | None = None) -> None:
        """Open the encoded texts in the cache, whatever the stage; does nothing the second time."""
        if self._encoded is None:
            self._open(self.find_source(allow_download=False))
        if self._torch_seed is None:
            # Not a number drawn from torch's generator: that would depend on what was drawn before, and
            # validating a checkpoint would hold out different texts than its training run did.
            self._torch_seed = torch.initial_seed()
        if self.trainer is not None:
            # Without `seed_everything` each process has a seed of its own, but they have to agree.
            self._torch_seed = self.trainer.strategy.broadcast(self._torch_seed)

    @property
    def tokenizer(self) -> BaseTokenizer:
        """From the options; `pipeline` has the same, unless it is a checkpoint's."""
        return self._options.tokenizer

    @property
    def pipeline(self) -> TextPipeline:
        return self._ready.pipeline

    @property
    def label_names(self) -> tuple[str, ...]:
        return self._ready.label_names

    @property
    def multi_label(self) -> bool:
        """Whether each text may have several labels, or none."""
        return self._ready.parts["train"].labels.ndim == 2

    @property
    def class_counts(self) -> list[int]:
        """Number of texts of each class that are trained on."""
        rows, _ = self._training_rows()
        labels = self._ready.parts["train"].labels[rows]
        if labels.ndim == 2:
            return labels.sum(axis=0).tolist()
        return np.bincount(labels, minlength=len(self.label_names)).tolist()

    @property
    def id_counts(self) -> npt.NDArray[np.int64]:
        """How often each id occurs in the training texts, those held out for validation included; shape (ids,)."""
        values = self._ready.parts["train"].ids.values
        counts = np.zeros(self.pipeline.num_ids, dtype=np.int64)
        for start in range(0, len(values), 1 << 22):  # bincount makes int64 of all that it is given
            counts += np.bincount(values[start : start + (1 << 22)], minlength=len(counts))
        return counts

    def training_ids(self) -> tuple[RaggedIds, npt.NDArray[np.integer[Any]]]:
        """Return the texts that are trained on and their labels, each text cut to `maxlen` and not padded."""
        rows, _ = self._training_rows()
        part = self._ready.parts["train"]
        return self.pipeline.cut(part.ids[rows]), part.labels[rows]

    @property
    def train_size(self) -> int:
        """Number of texts that are trained on."""
        return len(self._training_rows()[0])

    @property
    def val_size(self) -> int:
        """Number of texts that are validated on."""
        if isinstance(self._validation, str):
            return len(self._ready.parts[self._validation].labels)
        return len(self._training_rows()[1])

    @property
    def test_size(self) -> int:
        """Number of test texts."""
        return len(self._ready.parts["test"].labels)

    @property
    def seed(self) -> int:
        """The seed of the shuffles and the hold-out: the option, else torch's seed at the time of `setup`."""
        if self._given_seed is not None:
            return self._given_seed
        if self._torch_seed is None:
            raise RuntimeError("the seed is taken in setup(), which has not been called")
        return self._torch_seed

    def train_dataloader(self) -> Batches:
        """Return the texts that are trained on, shuffled; with soft labels those without labels too (see `Batch`)."""
        part, (rows, _) = self._ready.parts["train"], self._training_rows()
        if self.soft_labelled is not None:
            part = self.soft_labelled.behind(part.take(rows))
            rows = np.arange(len(part.labels))
        return self._batches(part, rows, batch_size=self.batch_size, shuffle_seed=self.seed)

    def val_dataloader(self) -> Batches:
        parts = self._ready.parts
        if isinstance(self._validation, str):
            return self._batches(parts[self._validation], np.arange(self.val_size), batch_size=self._eval_batch_size)
        _, rows = self._training_rows()
        return self._batches(parts["train"], rows, batch_size=self._eval_batch_size)

    def test_dataloader(self) -> Batches:
        part = self._ready.parts["test"]
        return self._batches(part, np.arange(self.test_size), batch_size=self._eval_batch_size)

    def predict_dataloader(self) -> Batches:
        """Return the test texts, in their order."""
        return self.test_dataloader()

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: the seed, so that a resumed run has the same hold-out and orders."""
        return {"seed": self.seed}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the seed from a checkpoint, unless one is given as an option.

        Raises:
            InputError: if the checkpoint holds no seed.
        """
        seed = state_dict.get("seed")
        check_whole("the seed in the checkpoint", seed, least=0)
        self._torch_seed = seed

    @property
    def _ready(self) -> EncodedTexts:
        if self._encoded is None:
            raise RuntimeError("the texts are loaded in setup(), which has not been called")
        return self._encoded

    def _training_rows(self) -> tuple[_Rows, _Rows]:
        """Return the training texts that are trained on, and those held out."""
        part = self._ready.parts["train"]
        if isinstance(self._validation, str):
            return np.arange(len(part.labels)), np.arange(0)
        if self._kept_holdout is None or self._kept_holdout[0] != self.seed:
            stay, held = stratified_holdout(
                part.labels,
                fraction=self._validation,
                seed=self.seed,
                option="validation",
                names=part.names,
                label_names=self.label_names,
            )
            self._kept_holdout = self.seed, stay, held
        return self._kept_holdout[1:]

    def _batches(self, part: EncodedPart, rows: _Rows, *, batch_size: int, shuffle_seed: int | None = None) -> Batches:
        num_ids = self.pipeline.num_ids
        dtype = np.dtype(np.int16 if num_ids <= np.iinfo(np.int16).max + 1 else np.int32)
        pipeline = self.pipeline.fixed_for(part.ids)
        in_memory = len(rows) * (pipeline.maxlen or 1) * dtype.itemsize <= MATRIX_BYTES
        batches = Batches(
            torch.from_numpy(pipeline.pad(part.ids[rows], dtype=dtype))
            if in_memory
            else PaddedOnDemand(part.ids, rows, pipeline),
            torch.from_numpy(part.labels[rows]),
            num_ids=num_ids,
            batch_size=batch_size,
            shuffle_seed=shuffle_seed,
            names=part.names.take(rows),
            num_replicas=1 if self.trainer is None else self.trainer.world_size,
            rank=0 if self.trainer is None else self.trainer.global_rank,
        )
        # 25,000 reviews are 25 MB: on a GPU from the start, they need no copy in any step.
        if in_memory and self.trainer is not None and self.trainer.strategy.root_device.type == "cuda":
            batches.to(self.trainer.strategy.root_device)
        return batches

    def _open(self, source: Source) -> None:
        if self._encoded is None:
            encoded = self._options.encode(source, self._given_pipeline)
            self._encoded = encoded.relabelled(self._given_labels) if self._given_labels else encoded
            self._kept_holdout = self._unlabelled = None
        self.source_name = source.name
