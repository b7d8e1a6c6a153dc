import pytest

from seqclass.classifier import SequenceClassifier
from seqclass.errors import InputError
from seqclass.evaluation.prediction import predict


def test_several_labels_a_text_are_refused():
    classifier = SequenceClassifier(num_embeddings=5, num_classes=3, multi_label=True, embedding_dim=2, hidden_size=2)
    with pytest.raises(InputError, match="this model gives a text any number of labels"):
        predict(classifier, [])
