"""What is known about a DataModule's data, and whether a classifier fits them."""

from dataclasses import dataclass

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.models import ChainOptions, StackOptions
from seqclass.text import TextPipeline


@dataclass(frozen=True)
class DataFacts:
    """What a DataModule knows about its data; nothing if it is not one of this project's.

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
        """Collect the facts of a DataModule, or of None."""
        return cls(
            pipeline=getattr(datamodule, "pipeline", None),
            label_names=tuple(getattr(datamodule, "label_names", ())),
            multi_label=getattr(datamodule, "multi_label", False),
        )


def check_sizes(facts: DataFacts, options: StackOptions | ChainOptions) -> None:
    """Refuse options with which a stack cannot read these data.

    Raises:
        InputError: other ids or other classes, or padding behind the text that would be read.
    """
    if facts.pipeline is None:
        return
    if options.multi_label != facts.multi_label:
        raise InputError(
            f"the model has multi_label={options.multi_label}, but in the data a text has "
            f"{'one label' if options.multi_label else 'any number of labels'}; see data.label_separator"
        )
    if facts.pipeline.num_ids > options.num_embeddings:
        raise InputError(
            f"the data have {facts.pipeline.num_ids} ids, but num_embeddings={options.num_embeddings}: "
            "set num_embeddings to null, or data.num_words to that number"
        )
    if len(facts.label_names) != options.num_classes:
        raise InputError(f"the data have the classes {facts.label_names}, but num_classes={options.num_classes}")
    # A chain was trained elsewhere, with its padding where it is.
    if facts.pipeline.padding == "post" and not options.mask_padding and options.stack != "chain":
        raise InputError(
            "padding='post' without mask_padding: the LSTM would end in padding and forget the text; "
            "use data.padding 'pre', or set model.mask_padding to true"
        )


def check_fits(facts: DataFacts, classifier: TextClassifier) -> None:
    """Refuse data on which a classifier cannot be trained or tested.

    Raises:
        InputError: as `check_sizes`; or other classes, or texts encoded in another way.
    """
    check_sizes(facts, classifier.options)
    if facts.pipeline is None:
        return
    way_out = "data.use_pipeline(classifier.pipeline, classifier.label_names) makes the DataModule use the model's"
    if classifier.label_names and classifier.label_names != facts.label_names:
        raise InputError(
            f"the model was trained for the classes {classifier.label_names}, the data have {facts.label_names}; "
            f"{way_out}"
        )
    if classifier.pipeline is not None and classifier.pipeline.fingerprint() != facts.pipeline.fingerprint():
        raise InputError(f"the data are encoded in another way than those the model was trained with; {way_out}")
