# `make train` and `make test` do everything, from an empty environment on.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The oldest Python that is supported, if this machine has it.
OLDEST_PYTHON ?= $(firstword $(foreach python,python3.10 $(wildcard $(HOME)/.pyenv/versions/3.10.*/bin/python),\
	$(shell $(python) -c 'print("$(python)")' 2>/dev/null)) $(PYTHON))
OLDEST := .venv-oldest
C_FILES := $(wildcard src/seqclass/nn/kernels/compiled/*.[ch] tests/nn/kernels/*.c)

# One process a core, each with one thread; those of a file stay together, for they share what was trained for them.
PYTEST := -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile
test test-oldest: export OMP_NUM_THREADS := 1

.PHONY: train test test-oldest check format package clean

train: $(VENV)/installed
	$(BIN)/seqclass fit --config configs/cnn_lstm.yaml --data.on_missing sample

# What a change has to pass: the checks, and all tests with the newest versions.
test: check
	$(BIN)/python $(PYTEST) --cov

# The same tests with the oldest versions that are allowed, and torchtext. Not those of the benchmarks, which are run
# from this repository with the pinned versions only.
test-oldest: $(OLDEST)/installed
	$(OLDEST)/bin/python $(PYTEST) --ignore tests/benchmarks

# All that needs no test run; pre-commit runs it before each commit.
check: $(VENV)/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(C_FILES)

format: $(VENV)/installed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/clang-format -i $(C_FILES)

# Builds wheel and source distribution, looks at what is in them, and uses the wheel in an empty environment.
package: $(VENV)/installed
	PYTHON=$(BIN)/python .ci/package

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[dev]'
	touch $@

$(OLDEST)/installed: pyproject.toml constraints-oldest.txt
	$(OLDEST_PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --constraint constraints-oldest.txt --editable '.[test,torchtext]'
	touch $@

clean:
	rm -rf $(VENV) $(OLDEST) build dist .coverage .mypy_cache .pytest_cache .ruff_cache
