# `make train` and `make test` do everything, from an empty environment on.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
C_FILES := $(wildcard src/seqclass/nn/lstm_kernels/compiled/*.[ch])

.PHONY: train test lint format clean

train: $(VENV)/installed
	$(BIN)/seqclass fit --config configs/cnn_lstm.yaml --data.on_missing sample

test: lint
	$(BIN)/python -m pytest

lint: $(VENV)/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(C_FILES)

format: $(VENV)/installed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/clang-format -i $(C_FILES)

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
