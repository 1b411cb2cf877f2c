# Everything that a newcomer, a developer and CI do. `make check` does all that CI does.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: install run test check lint types layers coverage bench fuzz simulate mutants mutation torture constraints clean

install: $(VENV)/dev.stamp ## the set-up alone, into .venv

run: $(VENV)/server.stamp ## start the demo, show its complete balances by a signed call
	@$(BIN)/spotbook demo --show

test: $(VENV)/dev.stamp ## set up and pass the tests
	@$(BIN)/python -m pytest

check: lint types layers test ## all that CI does

lint: $(VENV)/dev.stamp
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/dev.stamp
	@$(BIN)/mypy

layers: $(VENV)/dev.stamp
	@$(BIN)/lint-imports

coverage: $(VENV)/dev.stamp ## the tests again, counted line by line and branch by branch
	@$(BIN)/coverage run -m pytest
	@$(BIN)/coverage report

fuzz: $(VENV)/dev.stamp ## raw bytes, forms and amounts, SECONDS of each (600)
	@SPOTBOOK_FUZZ_SECONDS=$(or $(SECONDS),600) $(BIN)/python -m pytest --timeout 0 \
		tests/integration/wire/test_fuzzed_bytes.py tests/property/test_fuzzed_parsers.py

simulate: $(VENV)/dev.stamp ## one run of the simulator, SEED (drawn) and STEPS (4000)
	@$(BIN)/python -m simulator $(if $(SEED),--seed $(SEED)) --steps $(or $(STEPS),4000)

mutants: $(VENV)/dev.stamp ## plant each mutant of the list, see it found
	@$(BIN)/python -m simulator.mutants

mutation: $(VENV)/mutation.stamp ## every small change of domain/ and wire/, against their tests; an hour
	@$(BIN)/python tools/mutation --page

torture: $(VENV)/dev.stamp ## kills, power cuts, fuzzing and the simulator, for MINUTES (30)
	@$(BIN)/python tools/torture $(or $(MINUTES),30)

bench: $(VENV)/bench.stamp ## the figures of docs/reference/speed.md; needs wrk (apt-get install wrk)
	@$(BIN)/python -m bench

constraints: $(VENV)/dev.stamp ## write constraints/*.txt anew from pyproject.toml (needs uv)
	@tools/constraints

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Spotbook needs Python 3.11 or newer")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/%.stamp: constraints/%.txt pyproject.toml | $(BIN)/python
	@echo "Setting up .venv ($*) ..."
	@$(PIP) install --require-hashes --requirement $<
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf $(VENV) build dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
