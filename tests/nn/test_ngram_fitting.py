from itertools import pairwise

import pytest
import torch

from seqclass.nn import NGrams, fit_ngrams, suggested_buckets
from seqclass.nn.feature_tables import BinaryFeatures
from seqclass.nn.naive_bayes import log_ratio
from seqclass.nn.ngram_fitting import SUBWORD_SHARE, SUBWORD_STRENGTH

ROOMY = 2**20
NOT_WEIGHTS = "weights holds a number that is negative or not finite, or zeros alone; allowed are numbers from 0 on"


def texts(count=60, *, words=30, seed=0):
    """Random texts of 0 to 12 words."""
    draw = torch.Generator().manual_seed(seed)
    lengths = torch.randint(0, 13, (count,), generator=draw)
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])
    return torch.randint(1, words, (int(offsets[-1]),), generator=draw), offsets


def padded(values, offsets):
    rows = [values[start:stop] for start, stop in pairwise(offsets.tolist())]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)


def labels(count, outputs, seed=1):
    return torch.randint(0, 2, (count, outputs), generator=torch.Generator().manual_seed(seed)).float()


def log_count_ratio(features, target):
    """By counting: (texts, features) and (texts,) to (features,)."""
    np = pytest.importorskip("numpy")
    share = (target.sum() + 1) / (len(target) + 2)
    yes, no = (features[target == kind].sum(axis=0) + 2 * of_kind for kind, of_kind in ((1, share), (0, 1 - share)))
    return np.log(yes / yes.sum()) - np.log(no / no.sum())


def scikit_learns(values, offsets, targets, *, max_length, strength, min_texts=1, weights=None):
    """The same from scikit-learn: the ratio by counting, the regression by its own solver. Gives the logits."""
    np = pytest.importorskip("numpy")
    text = pytest.importorskip("sklearn.feature_extraction.text")
    linear_model = pytest.importorskip("sklearn.linear_model")
    documents = [
        " ".join(f"w{word}" for word in values[start:stop].tolist()) for start, stop in pairwise(offsets.tolist())
    ]
    counter = text.CountVectorizer(binary=True, ngram_range=(1, max_length), min_df=min_texts)
    features = counter.fit_transform(documents).toarray().astype(float)
    ratios = [log_count_ratio(features, target) for target in targets.T.numpy()]
    length = np.mean([((features * ratio) ** 2).sum(axis=1).mean() for ratio in ratios])
    # scikit-learn adds the texts' losses up; ours is their mean, whatever the weights add up to.
    weights = np.ones(len(features)) if weights is None else weights.numpy() * len(features) / float(weights.sum())
    logits = []
    for ratio, target in zip(ratios, targets.T.numpy(), strict=True):
        model = linear_model.LogisticRegression(C=strength / length, tol=1e-8, max_iter=10_000)
        model.fit(features * ratio, target, sample_weight=weights)
        logits.append(model.decision_function(features * ratio))
    return torch.from_numpy(np.stack(logits, axis=1))


@pytest.mark.parametrize(
    ("outputs", "options"),
    [(1, {}), (3, {}), (1, {"strength": 0.5}), (2, {"min_texts": 2}), (1, {"weighted": True})],
    ids=["two classes", "several", "weak", "frequent n-grams alone", "weights"],
)
def test_equal_to_scikit_learns_logistic_regression(outputs, options):
    values, offsets = texts()
    targets = labels(60, outputs).double()
    options = {"strength": 20.0, **options}
    weights = torch.rand(60, generator=torch.Generator().manual_seed(2)) if options.pop("weighted", False) else None
    layer = NGrams(outputs, max_length=2, buckets=ROOMY).double()
    result = fit_ngrams(layer, values, offsets, targets, weights=weights, tolerance=1e-9, max_iterations=500, **options)
    expected = scikit_learns(values, offsets, targets, max_length=2, weights=weights, **options)
    # Float64, and scikit-learn's solver stops at gradients of 1e-8.
    torch.testing.assert_close(layer(padded(values, offsets)), expected, rtol=0, atol=1e-5)
    assert result.features == int((layer.weight != 0).any(dim=1).sum())
    losses = torch.nn.functional.binary_cross_entropy_with_logits(expected, targets, reduction="none").mean(dim=1)
    weights = torch.ones(60) if weights is None else weights
    # The outputs' losses are added up.
    assert result.loss == pytest.approx(float((losses * weights).sum() / weights.sum()) * outputs, abs=1e-6)


def test_a_rare_labels_ratio_is_measured_by_its_share():
    """Twelve texts, one with the label: five others with a word say more against it than smoothing by 1 leaves."""
    values = torch.tensor([1, *(2,) * 5, *(3,) * 6])
    targets = torch.tensor([1.0] + [0.0] * 11).unsqueeze(1)
    features = BinaryFeatures(values, torch.ones(12, dtype=torch.int64))
    share = 2 / 14
    counts = torch.tensor([[1.0, 0.0, 0.0], [0.0, 5.0, 6.0]]) + torch.tensor([[2 * share], [2 * (1 - share)]])
    expected = (counts / counts.sum(dim=1, keepdim=True)).log().diff(dim=0).neg().T
    ratio = log_ratio(features, targets)
    torch.testing.assert_close(ratio, expected)
    assert ratio[1] < -0.9  # smoothed by 1 it would be -0.54


def test_a_second_fit_gives_the_same():
    values, offsets = texts()
    layers = [NGrams(2, buckets=97) for _ in range(2)]
    for layer in layers:
        with torch.no_grad():
            layer.weight.normal_()  # whatever was there
        fit_ngrams(layer, values, offsets, labels(60, 2))
    assert torch.equal(layers[0].weight, layers[1].weight)
    assert torch.equal(layers[0].bias, layers[1].bias)
    assert not layers[0].weight[0].any()


def test_neither_order_nor_chunks_of_the_texts_count(monkeypatch):
    values, offsets = texts()
    targets = labels(60, 1).squeeze(1)
    whole = NGrams(1, buckets=ROOMY).double()
    fit_ngrams(whole, values, offsets, targets, tolerance=1e-9)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(3))
    rows = [values[offsets[i] : offsets[i + 1]] for i in order.tolist()]
    moved = torch.cat([torch.zeros(1, dtype=torch.int64), offsets.diff()[order].cumsum(0)])
    monkeypatch.setattr("seqclass.nn.ngram_fitting._CHUNK", 20)
    other = NGrams(1, buckets=ROOMY).double()
    fit_ngrams(other, torch.cat(rows).to(torch.int16), moved, targets[order], tolerance=1e-9)
    ids = padded(values, offsets)
    # Float64: the sums are taken in another order, and the minimum is flat.
    torch.testing.assert_close(other(ids), whole(ids), rtol=0, atol=1e-6)


@pytest.mark.parametrize("targets", [[0, 0, 0], [1, 1, 1]])
def test_one_class_alone(targets):
    layer = NGrams(1, buckets=11)
    fit_ngrams(layer, torch.tensor([1, 2, 1]), torch.tensor([0, 1, 2, 3]), torch.tensor(targets))
    assert layer.weight.isfinite().all()
    assert (layer(torch.tensor([[1], [2]])) > 0).all() == bool(targets[0])


@pytest.mark.parametrize("min_texts", [1, 5])
def test_without_features_the_bias_knows_the_shares(min_texts):
    values = torch.tensor([], dtype=torch.int64) if min_texts == 1 else torch.tensor([1, 2, 3, 4])
    offsets = torch.tensor([0, 0, 0, 0, len(values)])
    layer = NGrams(1, buckets=11)
    result = fit_ngrams(layer, values, offsets, torch.tensor([1, 1, 1, 0]), min_texts=min_texts, tolerance=1e-5)
    assert result.features == 0
    assert not layer.weight.any()
    assert float(layer.bias.sigmoid()) == pytest.approx(0.75, abs=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"targets": torch.zeros(2)}, r"targets is \(2,\); allowed is \(3, 1\), texts and outputs"),
        ({"targets": torch.tensor([0, 1, 2])}, r"targets holds 2.0; allowed are 0 and 1"),
        ({"offsets": torch.tensor([0])}, "offsets holds 0 texts; allowed is one or more"),
        ({"strength": 0.0}, "strength is 0.0; allowed are numbers above 0"),
        ({"min_texts": 0}, "min_texts is 0; allowed are whole numbers from 1 on"),
        ({"max_iterations": 0}, "max_iterations is 0; allowed are whole numbers from 1 on"),
        ({"weights": torch.tensor([1.0, -1, 1])}, NOT_WEIGHTS),
        ({"weights": torch.zeros(3)}, NOT_WEIGHTS),
        ({"weights": torch.ones(2)}, r"weights is \(2,\); allowed is \(3,\), one for each text"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    arguments = {
        "values": torch.tensor([1, 2, 3]),
        "offsets": torch.tensor([0, 1, 2, 3]),
        "targets": torch.tensor([0, 1, 1]),
        **options,
    }
    with pytest.raises(ValueError, match=f"^{message}$"):
        fit_ngrams(NGrams(1, buckets=5), **arguments)


@pytest.mark.parametrize(
    ("num_ids", "outputs", "expected"),
    [
        (100, 1, 2**16),
        (54_611, 6, 2**19),
        (166_358, 1, 2**20),
        (2**21, 1, 2**22),
        (10**12, 1, 2**22),
        (10**7, 4, 2**22),
        (10**7, 5, 2**21),
        (10**7, 20, 2**19),
        (10**7, 10**9, 2),
    ],
)
def test_suggested_buckets(num_ids, outputs, expected):
    assert suggested_buckets(num_ids, outputs=outputs) == expected


def test_wrong_numbers_for_a_suggestion_are_named():
    with pytest.raises(ValueError, match=r"^num_ids is 0; "):
        suggested_buckets(0, outputs=1)


def spelled(words):
    """A table of parts: word i is made of one to three of seven parts, the same in every run."""
    draw = torch.Generator().manual_seed(5)
    rows = [torch.randperm(7, generator=draw)[: 1 + word % 3] for word in range(words)]
    return torch.cat(rows), torch.tensor([0, *(len(row) for row in rows)]).cumsum(0)


@pytest.mark.parametrize("outputs", [1, 3])
def test_subwords_are_a_second_model_folded_into_the_words(outputs):
    np = pytest.importorskip("numpy")
    linear_model = pytest.importorskip("sklearn.linear_model")
    values, offsets = texts()
    targets = labels(60, outputs).double()
    table, starts = spelled(30)
    until = {"tolerance": 1e-9, "max_iterations": 500}
    plain, folded = (NGrams(outputs, max_length=2, buckets=ROOMY).double() for _ in range(2))
    fit_ngrams(plain, values, offsets, targets, **until)
    fit_ngrams(folded, values, offsets, targets, subwords=(table, starts), **until)
    # How many distinct words of a text have a part, counted one by one.
    counts = np.zeros((60, 7))
    for text, (start, stop) in enumerate(pairwise(offsets.tolist())):
        for word in set(values[start:stop].tolist()):
            for part in table[starts[word] : starts[word + 1]].tolist():
                counts[text, part] += 1
    ratios = [log_count_ratio(counts, target) for target in targets.T.numpy()]
    length = np.mean([((counts * ratio) ** 2).sum(axis=1).mean() for ratio in ratios])
    ids = padded(values, offsets)
    added = folded(ids) - plain(ids)
    for output, ratio in enumerate(ratios):
        model = linear_model.LogisticRegression(C=SUBWORD_STRENGTH / length, tol=1e-8, max_iter=10_000)
        model.fit(counts * ratio, targets[:, output].numpy())
        expected = SUBWORD_SHARE * torch.from_numpy(model.decision_function(counts * ratio))
        torch.testing.assert_close(added[:, output], expected, rtol=0, atol=1e-5)


def test_ids_without_subwords():
    values, offsets = texts()
    with pytest.raises(ValueError, match=r"^the texts hold the id 29; allowed are those of subwords, 0 to 11$"):
        fit_ngrams(NGrams(1, buckets=97), values, offsets, labels(60, 1), subwords=spelled(12))
