"""A new model for a data set: its sizes follow from the data before Lightning sees it."""

import sys
from typing import Any, Literal

import torch
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from lightning.pytorch.utilities import rank_zero_only

from seqclass.classifier import TextClassifier
from seqclass.data import EncodedDataModule
from seqclass.errors import InputError
from seqclass.models import PRESETS, StackOptions
from seqclass.nn import AffixEmbedding, suggested_buckets
from seqclass.pretraining import Pretrained
from seqclass.text import WordVectors, affix_table, read_word_vectors
from seqclass.training.class_weights import ClassWeights, weights_in_order
from seqclass.training.data_facts import DataFacts, check_sizes
from seqclass.training.own_vectors import AUTO, SELF, all_ids, own_vectors
from seqclass.training.resuming import FREE_OPTIONS, changed_options
from seqclass.training.self_training import label_with
from seqclass.training.sequence_classifier import SequenceClassifier


def new_classifier(
    data: EncodedDataModule,
    *,
    trained: TextClassifier | None = None,
    word_vectors: str | None = None,
    pretrained: str | None = None,
    teacher: str | None = None,
    freeze_embedding: bool = False,
    cuda_graph: bool = False,
    class_weights: ClassWeights = None,
    learning_rate: float | None = None,
    optimizer: OptimizerCallable | None = None,
    lr_scheduler: LRSchedulerCallable | None = None,
    lr_scheduler_interval: Literal["epoch", "step"] = "epoch",
    lr_scheduler_monitor: str = "val_loss",
    **options: Any,
) -> SequenceClassifier:
    """Build a model whose ids and classes are those of the data, ready to be trained.

    The data are prepared first: read, encoded, and split.

    Args:
        data: the texts.
        trained: a classifier to train further; its stack, pipeline and label names are kept.
        word_vectors: path of pretrained vectors in a text file of GloVe, word2vec or fastText; see
            `seqclass.text.read_word_vectors`. Words of the vocabulary that the file has begin with its vectors, the
            others as `initializer` says. They decide `embedding_dim`.
        pretrained: path of a file that `seqclass pretrain` has written: its vocabulary and tokenizer replace the
            DataModule's, and the embedding begins with its vectors. "self" makes such vectors of the training texts and
            of those that the DataModule's option `unlabelled` names; "auto" does so where they are many, unless there
            are `word_vectors`, and else nothing (`seqclass.training.own_vectors`).
        teacher: path of a trained model, which labels the texts of the DataModule's option `unlabelled`; they are
            trained on with these labels (`seqclass.training.self_training`).
        freeze_embedding: leave the embedding as it is, padding and all.
        cuda_graph: run the forward and backward pass of a training step as one CUDA graph; for one GPU.
        class_weights: one factor of the loss for each class, by name or in the order of the label names; "balanced"
            takes texts / (classes * texts of the class), so that each class weighs the same in all; None weighs all
            texts the same.
        learning_rate: in place of the optimizer's own.
        optimizer: from parameters to an optimizer; None for `KerasAdam` with its defaults.
        lr_scheduler: from an optimizer to a scheduler; None for a constant rate.
        lr_scheduler_interval: whether the scheduler steps each epoch or each batch.
        lr_scheduler_monitor: the metric that a scheduler such as `ReduceLROnPlateau` looks at.
        **options: of the stack; see `seqclass.models.StackOptions`. What is None follows from the data
            (`num_embeddings`, `num_classes`, `multi_label`), else it is the stack's own.

    Raises:
        InputError: the data cannot be read, or do not fit the options; or options contradict the trained classifier.
        ValueError: an option outside its range, or one that the stack lacks.
    """
    _check_unlabelled(data, trained, pretrained, teacher)
    StackOptions(**options)  # a wrong option is reported now, not after the data have been read
    given = {name: value for name, value in options.items() if value is not None}
    if word_vectors is not None:
        if pretrained not in (None, AUTO):
            raise InputError(
                f"the embedding begins with pretrained={pretrained!r} or word_vectors={word_vectors!r}, not both"
            )
        pretrained = None
    start = None
    if trained is not None:
        data.use_pipeline(trained.text_pipeline, trained.label_names)
    elif pretrained not in (None, SELF, AUTO):
        start = Pretrained.load(pretrained)
        data.use_pipeline(start.pipeline)
    data.prepare_data()
    data.setup()
    if teacher is not None:
        label_with(teacher, data)
    if trained is not None:
        classifier = _with_options(trained, given)
    else:
        start = start or own_vectors(pretrained, data, embedding_dim=given.get("embedding_dim"))
        classifier = _built_for(data, given, word_vectors, start)
    if class_weights == "balanced" and not data.multi_label:
        class_weights = weights_in_order(
            class_weights, num_classes=len(data.label_names), label_names=(), class_counts=data.class_counts
        )
    return SequenceClassifier(
        classifier,
        class_weights=class_weights,
        freeze_embedding=freeze_embedding,
        cuda_graph=cuda_graph,
        learning_rate=learning_rate,
        optimizer=optimizer,
        lr_scheduler=lr_scheduler,
        lr_scheduler_interval=lr_scheduler_interval,
        lr_scheduler_monitor=lr_scheduler_monitor,
    )


def _built_for(
    data: EncodedDataModule, given: dict[str, Any], word_vectors: str | None, start: Pretrained | None
) -> TextClassifier:
    pipeline, preset = data.pipeline, PRESETS[given.get("stack", "lstm")].values
    sizes = {
        "num_embeddings": pipeline.num_ids,
        "num_classes": len(data.label_names),
        "multi_label": data.multi_label,
        **given,
    }
    vectors: WordVectors | None = None
    if word_vectors is not None:
        vectors = read_word_vectors(word_vectors, pipeline.vocabulary, dimension=given.get("embedding_dim"))
        sizes["embedding_dim"] = vectors.dimension
    if start is not None:
        dimension = start.vectors.shape[1]
        if given.get("embedding_dim", dimension) != dimension:
            raise InputError(
                f"the pretrained vectors have {dimension} numbers, but embedding_dim={given['embedding_dim']}"
            )
        sizes["embedding_dim"] = dimension
        if "affix_buckets" in preset:
            sizes.setdefault("affix_buckets", 0)  # with both, it overfits (docs/accuracy.md)
    if "ngram_buckets" not in given and "ngram_buckets" in preset:
        sizes["ngram_buckets"] = _suggested_buckets(data, StackOptions(**sizes))
    stack = StackOptions(**sizes)
    check_sizes(DataFacts.of(data), stack)
    classifier = TextClassifier(stack, pipeline=pipeline, label_names=data.label_names)
    embedding = classifier.stack.embedding
    if isinstance(embedding, AffixEmbedding):
        buckets = len(embedding.affix_weight)
        table = affix_table(pipeline.vocabulary, num_embeddings=stack.num_embeddings, buckets=buckets)
        embedding.affixes.copy_(torch.from_numpy(table))
    if start is not None:
        with torch.no_grad():
            embedding.weight[: len(start.vectors)] = start.vectors
    if vectors is not None:
        with torch.no_grad():
            classifier.stack.embedding.weight[torch.from_numpy(vectors.ids)] = torch.from_numpy(vectors.vectors)
        rank_zero_only(print)(vectors.coverage(data.id_counts), file=sys.stderr)
    return classifier


def _check_unlabelled(
    data: EncodedDataModule, trained: TextClassifier | None, pretrained: str | None, teacher: str | None
) -> None:
    if teacher is not None and not data.unlabelled_paths:
        raise InputError(f"teacher={teacher!r} labels texts without labels, but there are none; give data.unlabelled")
    if trained is None and teacher is None and pretrained != SELF and data.unlabelled_paths:
        raise InputError(
            f"data.unlabelled={data.unlabelled_paths} is without effect; set model.teacher to a trained model that "
            "labels them, or model.pretrained to 'self' for word vectors of them"
        )


def _suggested_buckets(data: EncodedDataModule, options: StackOptions) -> int:
    ids = data.training_ids()[0] if data.soft_labelled is None else all_ids(data)
    outputs = 1 if options.num_classes == 2 and not options.multi_label else options.num_classes
    return suggested_buckets(len(ids.values), outputs=outputs, max_length=options.ngrams or 1)


def _with_options(trained: TextClassifier, given: dict[str, Any]) -> TextClassifier:
    """Return the trained classifier, with those of the given options that may change."""
    saved = trained.options.values()
    if changed := changed_options(saved, given):
        raise InputError(f"training cannot go on from the checkpoint with other options: {', '.join(changed)}")
    free = {name: value for name, value in given.items() if name in FREE_OPTIONS}
    classifier = TextClassifier(
        StackOptions(**{**saved, **free}), pipeline=trained.pipeline, label_names=trained.label_names
    )
    classifier.load_state_dict(trained.state_dict())
    return classifier
