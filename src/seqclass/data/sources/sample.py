"""A small sample of film reviews made by this file, for trying things out without the real ones."""

import hashlib
import random
import re
from collections.abc import Iterator
from pathlib import Path

from seqclass.data.sources.source import Source, SourceText

_SIZES = {"train": 6000, "test": 1000}
_SEED = 2011
_LABEL_NAMES = ("neg", "pos")

_MIXED = 0.1
"""Share of the opinions that go against the label."""
_NEGATED = 0.1
"""Share of the opinions expressed by negating the opposite: "it is never dull" as praise."""
_NEUTRAL = 0.3
"""Share of the sentences without an opinion."""

# Index 0 is what a bad film gets, index 1 what a good one gets, as with the labels.
_ADJECTIVES = (
    "awful terrible dull boring lifeless clumsy pointless tedious predictable shallow laughable horrible "
    "weak annoying forgettable stupid bland wooden dreadful disappointing",
    "wonderful moving brilliant beautiful touching gripping clever funny charming excellent superb "
    "powerful delightful memorable warm stunning perfect great thrilling convincing",
)
_VERDICTS = (
    "avoid it at all costs|a complete waste of time|i wanted my money back|one of the worst films of the "
    "year|i nearly walked out|do not bother with it|nothing in it works|it fails on every level|i could "
    "not wait for it to end|the worst kind of nonsense|i fell asleep twice|save your money",
    "do not miss it|i loved every minute of it|one of the best films of the year|i would gladly see it "
    "again|highly recommended|it works on every level|i left the cinema smiling|a real gem|it stayed "
    "with me for days|everyone should see this|a small masterpiece|i was in tears at the end",
)
_VERBS = (
    "falls flat|makes no sense|drags|is a mess|never comes to life|let me down|ruins the film|got on my nerves",
    "is a joy|works very well|never drags|comes to life|surprised me|carries the film|won me over|shines",
)
_OPINIONS = (
    "the {aspect} is {adjective}",
    "the {aspect} is {adjective} and {adjective2}",
    "i found the {aspect} {adjective}",
    "what a {adjective} {film}",
    "a {adjective}, {adjective2} {film}",
    "this is a {adjective} {film} with a {adjective2} {aspect}",
    "the {aspect} {verb}",
    "the {aspect} {verb}, and the {aspect2} is {adjective}",
    "{verdict}",
    "{verdict}! the {aspect} is {adjective}",
    "{person} gives a {adjective} performance",
)
_NEGATIONS = (
    "the {aspect} is not {adjective} at all",
    "it is never {adjective}",
    "nobody could call this {film} {adjective}",
    "there is nothing {adjective} about the {aspect}",
)
_FACTS = (
    "the story is set in {place}",
    "{person} plays {person2}, who comes back to {place} after {number} years",
    "it begins with a {event} in {place}",
    "i saw this {film} {occasion}",
    "halfway through, {person} finds out about the {event}",
    "the {film} runs for about {number} hours",
    "it was made {number} years ago and shot in {place}",
    "{person} and {person2} meet again at the {event}",
    "the director made {number} other films before this one",
    "there is a long scene in {place} before the {event}",
    "my {relative} chose it {occasion}",
    "it is based on a book about a {event}",
)
_BRIDGES = ("but ", "still, ", "and yet ", "on the other hand, ", "even so, ")
_WORDS = {
    "aspect": ("acting|plot|script|music|ending|story|camera work|dialogue|direction|cast|first half|humour|pace"),
    "film": "film|movie|picture|drama|comedy|thriller",
    "person": (
        "the young lawyer|her brother|the old teacher|a lonely widow|the detective|his daughter|the "
        "neighbour|a retired soldier|the singer|the doctor|her mother|a stranger"
    ),
    "place": (
        "a small town|new york|the countryside|paris|a fishing village|the desert|an old hotel|london|"
        "the north of italy|a school|a hospital"
    ),
    "event": ("wedding|funeral|robbery|murder|storm|train journey|lost letter|party|trial|car accident|secret"),
    "occasion": (
        "on a rainy sunday|with some friends|at a festival|on television late at night|last week|on a "
        "plane|without knowing anything about it"
    ),
    "relative": "wife|husband|sister|son|best friend|father|boss",
    "number": "two|three|four|five|ten|twenty",
}
_CHOICES = tuple(
    {
        **{field: words.split("|") for field, words in _WORDS.items()},
        "adjective": adjectives.split(),
        "verb": verbs.split("|"),
        "verdict": verdicts.split("|"),
    }
    for adjectives, verbs, verdicts in zip(_ADJECTIVES, _VERBS, _VERDICTS, strict=True)
)
_FIELD = re.compile(r"\{([a-z]+)2?\}")  # {person2} is a second choice of a person


class SampleSource(Source):
    """6,000 training and 1,000 test reviews, half of them good, generated with a fixed seed.

    They have from a few to about 300 words. Some opinions go against the label, some praise or blame by
    negation, and many sentences give no opinion, so that a single word does not decide. They are still easier
    than real reviews: results on them show that a model learns, not how well.
    """

    name = "sample"
    label_names = _LABEL_NAMES

    def fingerprint(self) -> str:
        """Return a hash of this file, which alone decides the texts."""
        return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()

    def texts(self) -> Iterator[SourceText]:
        """Yield the texts of "train", then of "test", the same on every call and machine."""
        rng = random.Random(_SEED)
        for part, size in _SIZES.items():
            for number in range(size):
                label = number % len(_LABEL_NAMES)
                yield SourceText(part, f"{part}/{number}", _review(rng, label), (_LABEL_NAMES[label],))


def _review(rng: random.Random, label: int) -> str:
    length = min(300, 4 + int(rng.expovariate(1 / 80)))
    # There is always one opinion that agrees with the label: otherwise a review of one sentence may have none.
    sentences = [_opinion(rng, label)]
    while sum(sentence.count(" ") + 1 for sentence in sentences) < length:
        sentences.append(_sentence(rng, label))
    rng.shuffle(sentences)
    text = " ".join(s[0].upper() + s[1:] + rng.choice("........!") for s in sentences)
    # Paragraphs as in the real reviews, whose `<br />` is part of what tokenizers have to deal with.
    return text.replace(". ", ".<br /><br />", 1) if length > 150 else text


def _sentence(rng: random.Random, label: int) -> str:
    if rng.random() < _NEUTRAL:
        return _filled(rng, rng.choice(_FACTS), label)
    if rng.random() < _MIXED:
        return rng.choice(_BRIDGES) + _opinion(rng, 1 - label)
    return _opinion(rng, label)


def _opinion(rng: random.Random, side: int) -> str:
    if rng.random() < _NEGATED:
        return _filled(rng, rng.choice(_NEGATIONS), 1 - side)
    return _filled(rng, rng.choice(_OPINIONS), side)


def _filled(rng: random.Random, template: str, side: int) -> str:
    """Fill the template with a word for each of its fields; words of opinion are those of `side`."""
    text = _FIELD.sub(lambda field: rng.choice(_CHOICES[side][field[1]]), template)
    return re.sub(r"\ba (?=[aeiou])", "an ", text)
