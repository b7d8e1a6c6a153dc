"""The service over HTTP: answers, refusals, and what it tells of itself."""

import json

import pytest

from seqclass.classifier import TextClassifier

pytest.importorskip("litserve", reason="lacks litserve: pip install 'seqclass[serve]'")

from concurrent.futures import ThreadPoolExecutor


@pytest.fixture(scope="module")
def client(served_in_process):
    return served_in_process


def test_answers_as_the_classifier_does(client, checkpoint):
    texts = ["a wonderful film", "the dull story"]
    found = client.answers(*texts)
    for answer, expected in zip(found, TextClassifier.load(checkpoint).classify(texts), strict=True):
        assert answer["labels"] == list(expected.labels)
        assert answer["probabilities"] == pytest.approx(expected.probabilities, abs=1e-6)
        assert answer["probability"] == max(answer["probabilities"].values())
        assert set(answer) == {"labels", "probability", "probabilities", "known_words"}


def test_explains(client):
    (answer,) = client.answers("a wonderful, superb film", explain=True)
    assert answer["explanation"]["label"] == "pos"
    words = answer["explanation"]["words"]
    assert [entry["word"] for entry in words] == ["a", "wonderful", "superb", "film"]
    assert max(words, key=lambda entry: entry["weight"])["word"] in ("wonderful", "superb")


def test_many_at_once_get_their_own_answers(client):
    texts = [f"{word} film {'story ' * count}" for word in ("wonderful", "dull") for count in range(20)]
    alone = [client.answers(text)[0]["probability"] for text in texts]
    with ThreadPoolExecutor(16) as pool:
        together = [answer["probability"] for (answer,) in pool.map(client.answers, texts)]
    assert len({round(probability, 5) for probability in alone}) > 20
    assert together == pytest.approx(alone, abs=1e-6)


@pytest.mark.parametrize(
    ("body", "where", "problem", "found"),
    [
        ({"texts": []}, "texts", "at least 1 item", "[]"),
        ({"texts": ["a"] * 6}, "texts", "at most 5 items", "['a', 'a', 'a', 'a', 'a', 'a']"),
        ({"texts": ["a", "b" * 201]}, "texts[1]", "at most 200 characters", f"'{'b' * 59}..."),
        ({"texts": "a film"}, "texts", "valid list", "'a film'"),
        ({"texts": ["a", 1]}, "texts[1]", "valid string", "1"),
        ({"texts": [None]}, "texts[0]", "valid string", "None"),
        ({"texts": ["\ud800"]}, "texts[0]", "unicode", r"'\ud800'"),
        ({}, "texts", "required", "{}"),
        ({"texts": ["a"], "explain": "yes"}, "explain", "valid boolean", "'yes'"),
        ({"texts": ["a"], "explian": True}, "explian", "Extra inputs", "True"),
    ],
)
def test_wrong_requests_are_told_what_is_wrong_and_where(client, body, where, problem, found):
    response = client.post(body)
    assert response.status == 422
    (told,) = response.json["detail"]
    assert told["where"] == where
    assert problem in told["problem"]
    assert told["found"] == found


@pytest.mark.parametrize("body", [b"", b"a film", b"{", b"[]", b'"a film"', b"\xff\xfe", b'{"texts": ["\xff"]}'])
def test_what_is_no_json_object(client, body):
    response = client.post(body)
    assert 400 <= response.status < 500
    assert b"JSON" in response.body or b"parsing the body" in response.body


def test_another_content_type_is_refused(client):
    """Pages of other origins can send text/plain without asking first."""
    response = client.post({"texts": ["a film"]}, content_type="text/plain")
    assert response.status == 422
    assert "application/json" in response.json["detail"][0]["problem"]


def test_a_body_that_is_too_large(client):
    response = client.post({"texts": ["a"], "padding": "a" * 3_000})
    assert response.status == 413
    assert response.json["detail"] == "The request is too large; allowed are 2,000 bytes"


def test_deep_json_is_refused(client):
    assert 400 <= client.post(b'{"texts": ' + b"[" * 900 + b"]" * 900 + b"}").status < 500


def test_too_many_explanations(client):
    response = client.post({"texts": ["a", "b", "c"], "explain": True})
    assert response.status == 422
    assert response.json["detail"] == "explain is true for 3 texts; it is allowed for at most 2"


def test_explanations_of_long_texts(client):
    response = client.post({"texts": ["film " * 30], "explain": True})
    assert response.status == 422
    assert response.json["detail"] == "the model reads 24 words of a text; at most 20 can be explained"


def test_what_it_tells_of_itself(client):
    assert client.get("/health").body == b"ok"
    model = client.get("/info").json["model"]
    assert (model["name"], model["labels"], model["several_labels"]) == ("model.ckpt", ["neg", "pos"], False)
    card = client.get("/card")
    assert card.headers["content-type"] == "text/markdown; charset=utf-8"
    assert b"# model" in card.body
    assert b"epochs" in card.body


def test_the_interface_is_described_with_its_limits(client):
    assert b"swagger" in client.get("/docs").body
    api = client.get("/openapi.json").json
    assert set(api["paths"]) == {"/classify", "/card", "/health", "/info"}
    texts = api["components"]["schemas"]["Texts"]["properties"]["texts"]
    assert (texts["minItems"], texts["maxItems"], texts["items"]["maxLength"]) == (1, 5, 200)
    responses = api["paths"]["/classify"]["post"]["responses"]
    assert {"200", "413", "422", "504"} <= set(responses)
    assert "HTTPValidationError" not in json.dumps(responses)


def test_unknown_paths_and_methods(client):
    assert client.get("/predict").status == 404
    assert client.get("/classify").status == 405


def test_a_key_of_the_environment_is_asked_for(serving, monkeypatch):
    import litserve.server

    monkeypatch.setattr(litserve.server, "LIT_SERVER_API_KEY", "a key")
    with serving() as client:
        for path in ("/card", "/health", "/info"):
            assert client.get(path).status in (401, 403)
        assert client.post({"texts": ["a film"]}).status in (401, 403)
        assert client.get("/").status == 200
        client.headers["X-API-Key"] = "another"
        assert client.post({"texts": ["a film"]}).status == 401
        client.headers["X-API-Key"] = "a key"
        assert len(client.answers("a film")) == 1
        assert client.get("/card").status == 200
