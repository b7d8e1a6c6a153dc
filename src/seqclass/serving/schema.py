"""The bodies of requests and responses, as the OpenAPI page shows them."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model

from seqclass.serving.limits import Limits


class TextsRequest(BaseModel):
    """What is asked for; `request_model` adds the limits."""

    model_config = ConfigDict(extra="forbid", strict=True)

    texts: list[str]
    explain: bool = Field(
        default=False, description="also say which words each answer hangs on; takes a pass of the model for each word"
    )


class WordWeight(BaseModel):
    """A word that the model reads."""

    word: str
    weight: float = Field(
        description="how much the label's log-odds fall, in nats, when the word is replaced by the unknown word"
    )


class Explanation(BaseModel):
    """The words that a text's most probable label hangs on."""

    label: str
    words: list[WordWeight] = Field(description="in the order of the text; words that the model does not read are out")


class Answer(BaseModel):
    """A text's classification."""

    labels: list[str] = Field(
        description="the most probable label; of a model with several labels a text, all of at least one half"
    )
    probability: float = Field(description="of the most probable label")
    probabilities: dict[str, float] = Field(description="of all labels")
    known_words: bool = Field(description="false if the model knows none of the words: the answer is then meaningless")
    explanation: Explanation | None = Field(default=None, description="only if it was asked for")


class Answers(BaseModel):
    """One answer for each text, in their order."""

    answers: list[Answer]


class Problem(BaseModel):
    """Something that is wrong with a request."""

    where: str
    problem: str
    found: str | None = Field(default=None, description="the beginning of the value")


class Refusal(BaseModel):
    """Why a request has no answer."""

    detail: str | list[Problem]


def request_model(limits: Limits) -> type[TextsRequest]:
    """Make the request's model with the limits of a service, which its schema then shows."""
    text = Annotated[str, StringConstraints(max_length=limits.max_characters)]
    texts: Any = Annotated[
        list[text],
        Field(min_length=1, max_length=limits.max_texts, examples=[["a wonderful, moving film", "a dull story"]]),
    ]
    return create_model("Texts", __base__=TextsRequest, texts=(texts, ...))
