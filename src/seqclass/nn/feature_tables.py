"""Which features texts have, as lists: products with the matrix and its transpose are sums over them."""

import torch
import torch.nn.functional as F

_SAMPLE = 1_000
"""Texts that a mean over all of them is estimated from, where one text after the other has to be looked at."""


class BinaryFeatures:
    """Which features each text has, and which texts have each feature.

    Both are lists of bags, summed in a fixed order: the same in every run, and as fast as a sparse matrix.

    Args:
        found: (n,), the features of all texts one after the other, any integers of at least 0; each once a text.
        sizes: (texts,) int64, how many each text has.
        min_texts: features of fewer texts are left out.

    Attributes:
        names: (features,) int64, what `found` called them, ascending.
        number: of the features.
        texts: their number.
    """

    def __init__(self, found: torch.Tensor, sizes: torch.Tensor, *, min_texts: int = 1) -> None:
        self.texts = texts = len(sizes)
        kept = torch.bincount(found) >= min_texts
        self.names = kept.nonzero().squeeze(1)
        self.number = len(self.names)
        # Numbers of texts and features fit int32: there are fewer than 2^31 of each.
        numbers = (kept.cumsum(0) - 1).int()
        of_text = torch.arange(texts, dtype=torch.int32, device=found.device).repeat_interleave(sizes)
        stay = kept[found]
        self._features, owners = numbers[found[stay]], of_text[stay]
        self._feature_offsets = offsets_of(owners, texts)
        self._texts = owners[self._features.argsort(stable=True)]
        self._text_offsets = offsets_of(self._features, self.number)

    def of_texts(self, weight: torch.Tensor) -> torch.Tensor:
        """Sum the rows of each text's features: (features, n) -> (texts, n)."""
        return _sums(self._features, weight, self._feature_offsets)

    def of_features(self, numbers: torch.Tensor) -> torch.Tensor:
        """Sum the rows of the texts that have a feature: (texts, n) -> (features, n)."""
        return _sums(self._texts, numbers, self._text_offsets)

    def mean_square_length(self, scale: torch.Tensor) -> float:
        """Compute the mean of |scale * x|^2 over the texts x and the columns of `scale`, (features, n)."""
        return float(self.of_texts(scale.square()).mean())

    def rows(self, texts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the features of some texts, one after the other, and how many each has."""
        return gather_bags(self._features, self._feature_offsets.long(), texts)


class PartFeatures:
    """The parts that a text's features, say its words, are made of: a part counts once for each word that has it.

    Args:
        words: of the texts.
        parts: (n,), the parts of all words one after the other, any integers of at least 0.
        sizes: (words,) int64, how many each word has.
    """

    def __init__(self, words: BinaryFeatures, parts: torch.Tensor, sizes: torch.Tensor) -> None:
        self._words = words
        names, numbers = parts.unique(return_inverse=True)
        self.number = len(names)
        self._parts = numbers.int()
        owners = torch.arange(words.number, dtype=torch.int32, device=parts.device).repeat_interleave(sizes)
        self._part_offsets = offsets_of(owners, words.number)
        self._owners = owners[self._parts.argsort(stable=True)]
        self._owner_offsets = offsets_of(self._parts, self.number)

    def of_words(self, weight: torch.Tensor) -> torch.Tensor:
        """Sum the rows of each word's parts: (parts, n) -> (words, n)."""
        return _sums(self._parts, weight, self._part_offsets)

    def of_texts(self, weight: torch.Tensor) -> torch.Tensor:
        """Sum the rows of each text's parts: (parts, n) -> (texts, n)."""
        return self._words.of_texts(self.of_words(weight))

    def of_features(self, numbers: torch.Tensor) -> torch.Tensor:
        """Sum the rows of the texts that have a part, as often as they have it: (texts, n) -> (parts, n)."""
        of_words = self._words.of_features(numbers)
        return _sums(self._owners, of_words, self._owner_offsets)

    def mean_square_length(self, scale: torch.Tensor) -> float:
        """Estimate the mean of |scale * x|^2 over the texts x and the columns of `scale`, (parts, n).

        From texts that are spread evenly over all of them: which words share a part has to be looked up text by text.
        """
        texts = torch.arange(self._words.texts, device=scale.device)
        texts = texts[:: max(1, len(texts) // _SAMPLE)]
        words, sizes = self._words.rows(texts)
        parts, parts_of_words = gather_bags(self._parts, self._part_offsets.long(), words)
        text = torch.arange(len(texts), device=scale.device).repeat_interleave(sizes).repeat_interleave(parts_of_words)
        pairs, counts = (text * self.number + parts).unique(return_counts=True)
        squares = scale.square()[pairs % self.number] * counts.unsqueeze(1).square()
        return float(squares.sum() / (len(texts) * scale.shape[1]))


def _sums(members: torch.Tensor, rows: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Sum the rows that each bag names: (all rows, n) -> (bags, n)."""
    return F.embedding_bag(members, rows, offsets, mode="sum", include_last_offset=True)


def gather_bags(values: torch.Tensor, offsets: torch.Tensor, bags: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the values of some bags, one after the other, and how many each has.

    Args:
        values: (n,), those of all bags.
        offsets: (all bags + 1,) int64: bag i is `values[offsets[i]:offsets[i + 1]]`.
        bags: (bags,), which.
    """
    starts = offsets[:-1][bags]
    sizes = offsets.diff()[bags]
    first = sizes.cumsum(0) - sizes  # of each bag, in the result
    places = torch.arange(int(sizes.sum()), device=values.device) + (starts - first).repeat_interleave(sizes)
    return values[places], sizes


def offsets_of(numbers: torch.Tensor, bags: int) -> torch.Tensor:
    """Count where each bag begins if the bags' numbers, in any order, are sorted; int32, as the indices have to be."""
    ends = torch.bincount(numbers, minlength=bags).cumsum(0)
    return F.pad(ends, (1, 0)).int()
