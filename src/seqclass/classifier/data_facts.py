"""What a model takes from the data it is trained with, and whether data fit a model that is trained."""

from dataclasses import dataclass

from seqclass.errors import InputError
from seqclass.text import TextPipeline


@dataclass(frozen=True)
class DataFacts:
    """What a DataModule says of its data; nothing if it is none of this project's.

    Attributes:
        pipeline: from texts to ids.
        label_names: the classes.
        multi_label: whether a text may have several labels, or none.
    """

    pipeline: TextPipeline | None = None
    label_names: tuple[str, ...] = ()
    multi_label: bool = False

    @classmethod
    def of(cls, datamodule: object) -> "DataFacts":
        """Those of a DataModule, or of none."""
        return cls(
            pipeline=getattr(datamodule, "pipeline", None),
            label_names=tuple(getattr(datamodule, "label_names", ())),
            multi_label=getattr(datamodule, "multi_label", False),
        )


def check_fits(
    facts: DataFacts,
    *,
    num_embeddings: int,
    num_classes: int,
    multi_label: bool,
    reads_padding: bool,
    pipeline: TextPipeline | None,
    label_names: tuple[str, ...],
) -> None:
    """Refuse data that a model cannot be trained or tested with.

    Args:
        facts: of the data.
        num_embeddings: rows of the model's embedding.
        num_classes: of the model.
        multi_label: whether the model gives a text any number of labels.
        reads_padding: whether the model reads padding as it reads words.
        pipeline: the one that the model was trained with, if it was.
        label_names: those that it was trained for, if it was.

    Raises:
        InputError: other ids or other classes, or padding behind the text that would be read.
    """
    if facts.pipeline is None:
        return
    if multi_label != facts.multi_label:
        raise InputError(
            f"the model has multi_label={multi_label}, but in the data a text has "
            f"{'one label' if multi_label else 'any number of labels'}; see data.label_separator"
        )
    if facts.pipeline.num_ids > num_embeddings:
        raise InputError(
            f"the data have {facts.pipeline.num_ids} ids, but num_embeddings={num_embeddings}: "
            "set num_embeddings to null, or data.num_words to that number"
        )
    if len(facts.label_names) != num_classes:
        raise InputError(f"the data have the classes {facts.label_names}, but num_classes={num_classes}")
    if label_names and label_names != facts.label_names:
        raise InputError(f"the model was trained for the classes {label_names}, the data have {facts.label_names}")
    if pipeline is not None and pipeline.fingerprint() != facts.pipeline.fingerprint():
        raise InputError(
            "the data are encoded in another way than those the model was trained with; "
            "hand its pipeline to the DataModule: data.use_pipeline(model.pipeline)"
        )
    if facts.pipeline.padding == "post" and reads_padding:
        raise InputError(
            "padding='post' without mask_padding: the LSTM would end in padding and forget the text; "
            "use data.padding 'pre', or set model.mask_padding to true"
        )
