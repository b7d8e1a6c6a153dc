"""Self-training: a trained model labels the texts without labels, and another one learns from all of them.

The labels are the teacher's probabilities (soft labels), so that what it is unsure of teaches little. The student is
trained from the start: recurrent layers on the soft labels, n-grams on the most probable ones, weighted by how sure the
teacher is (`ngram_targets`). The teacher may read texts in another way than the student, or be a student itself.
"""

import sys

import torch
from lightning.pytorch.utilities import rank_zero_only

from seqclass.classifier import TextClassifier
from seqclass.data import EncodedDataModule
from seqclass.errors import InputError
from seqclass.messages import listed
from seqclass.text import RaggedIds

_BATCH = 250


def label_with(path: str, data: EncodedDataModule) -> None:
    """Give the texts without labels of a DataModule the probabilities that a trained model finds.

    Args:
        path: the model's checkpoint.
        data: has been set up, and has texts without labels.

    Raises:
        InputError: the file is not a checkpoint, its classes are not those of the data, or the texts cannot be read.
    """
    assert data.unlabelled is not None  # `new_classifier` has checked it
    teacher = TextClassifier.load(path)
    if sorted(teacher.label_names) != sorted(data.label_names):
        raise InputError(
            f"the teacher {path} was trained for {listed(list(teacher.label_names))}, the data have "
            f"{listed(list(data.label_names))}"
        )
    if teacher.options.multi_label != data.multi_label:
        raise InputError(
            f"the teacher {path} has multi_label={teacher.options.multi_label}, but the data {data.multi_label}"
        )
    found = _probabilities(teacher, data.unlabelled.encoded_by(teacher.text_pipeline))
    shares = found[:, [teacher.label_names.index(name) for name in data.label_names]].numpy()
    data.unlabelled.label(shares)
    sure = confidence(torch.from_numpy(shares), multi_label=data.multi_label).mean()
    rank_zero_only(print)(
        f"{path} has labelled {len(shares):,} texts; mean confidence {float(sure):.2f} (0: guessing, 1: certain)",
        file=sys.stderr,
    )


def ngram_targets(shares: torch.Tensor, *, multi_label: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Turn soft labels into labels and the weights of the texts.

    Args:
        shares: (texts, classes), how probable each class is.
        multi_label: whether a text may have several labels.

    Returns:
        (texts,) int64, the most probable class, or (texts, classes), ones and zeros; and (texts,), the `confidence`.
    """
    labels = (shares >= 0.5).long() if multi_label else shares.argmax(dim=1)
    return labels, confidence(shares, multi_label=multi_label)


def confidence(shares: torch.Tensor, *, multi_label: bool) -> torch.Tensor:
    """Compute how far above chance the most probable label is, (texts,), from 0 to 1; of two classes, |2p - 1|.

    Args:
        shares: (texts, classes), how probable each class is.
        multi_label: whether a text may have several labels: then the mean of |2p - 1|.
    """
    if multi_label:
        return (2 * shares - 1).abs().mean(dim=1)
    classes = shares.shape[1]
    return ((classes * shares.amax(dim=1) - 1) / (classes - 1)).clamp(min=0)  # rounding may go below


@torch.inference_mode()
def _probabilities(teacher: TextClassifier, texts: RaggedIds) -> torch.Tensor:
    """Compute the classes' probabilities for encoded texts, (texts, classes) float32."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    teacher.to(device).eval()
    pipeline = teacher.text_pipeline.fixed_for(texts)
    parts = (texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH))
    return torch.cat([teacher.probabilities(torch.from_numpy(pipeline.pad(part)).to(device)).cpu() for part in parts])
