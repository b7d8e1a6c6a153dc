"""LSTM text classifiers: the Keras IMDB notebook in plain PyTorch, exact, fast, and usable on your own texts."""

__version__ = "0.1.0"
