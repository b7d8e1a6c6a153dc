"""Which words a prediction depends on, by occlusion."""

import torch

from seqclass.classifier import TextClassifier
from seqclass.text import RaggedIds

METHOD = "occlusion: how much the log-odds of the class fall when the word is replaced by the unknown word"


@torch.inference_mode()
def word_importance(classifier: TextClassifier, text: str, label: str) -> list[tuple[str, float]]:
    """Occlude each word in turn (Zeiler and Fergus, 2014), and measure the effect on one class.

    A word's embedding is replaced by that of the unknown word, or by padding if the vocabulary has no unknown word.

    Args:
        classifier: with its text pipeline.
        text: a raw text.
        label: the class to explain.

    Returns:
        Each word that the model reads, in order, with the drop in the class's log-odds, in nats: positive for a word
        that supports the class. Truncated words, and words dropped as unknown, are left out.

    Raises:
        InputError: the classifier has no text pipeline.
    """
    pipeline = classifier.text_pipeline
    encode = pipeline.vocabulary.encode
    start = encode([])
    words, ids = [""] * len(start), list(start)
    for word in pipeline.tokenizer(text):
        found = encode([word])[len(start) :]
        words += [word] * len(found)
        ids += found
    if pipeline.maxlen is not None:
        kept = slice(-pipeline.maxlen, None) if pipeline.truncating == "pre" else slice(pipeline.maxlen)
        words, ids = words[kept], ids[kept]
    unknown = pipeline.vocabulary.oov_char or 0
    places = [place for place, word in enumerate(words) if word]
    rows = [ids] + [[*ids[:place], unknown, *ids[place + 1 :]] for place in places]
    matrix = torch.from_numpy(pipeline.pad(RaggedIds.from_lists(rows)))
    column = classifier.label_names.index(label)
    log_odds = _of_a_label if classifier.options.multi_label else _of_a_class
    device = next(classifier.parameters()).device
    odds = torch.cat([log_odds(classifier(part.to(device)), column) for part in matrix.split(250)]).tolist()
    return [(words[place], odds[0] - changed) for place, changed in zip(places, odds[1:], strict=True)]


# From logits, (batch,) or (batch, classes), not from probabilities, which round to 1.
def _of_a_label(logits: torch.Tensor, column: int) -> torch.Tensor:
    return logits[:, column]


def _of_a_class(logits: torch.Tensor, column: int) -> torch.Tensor:
    if logits.dim() == 1:
        return logits if column == 1 else -logits
    others = [other for other in range(logits.shape[1]) if other != column]
    return logits[:, column] - logits[:, others].logsumexp(dim=1)
