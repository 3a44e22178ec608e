# Needs Python 3.11 or newer, git and make; everything else comes from the locks in requirements/.
# Paths are relative, so the folder may have blanks in its name.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?=
JOBS ?= 2
COVERAGE := 90
CRASH_ROUNDS ?= 500
COOLDOWN ?= 1 week
# The quick ones: a mutant that they miss meets all others.
MUTANTS_FIRST := $(wildcard tests/unit/keywords/test_[ikntvw]*.py tests/unit/keywords/test_[pr]*.py) \
	$(addprefix tests/unit/keywords/test_,sentences.py survivors.py lexicon.py lint.py explain.py)

PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
LOCKED := $(PIP) install --quiet --require-hashes
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --exclude-newer "$(COOLDOWN)" --custom-compile-command "make lock" \
	$(if $(UPGRADE),--upgrade)

# What a folder's environment was last made from: an unchanged lock costs no second look.
RUN := $(VENV)/run.stamp
DEV := $(VENV)/dev.stamp

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help serve demo install test lint types format bench mutants crash docs lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

serve: $(RUN) ## Run the gateway on this machine, on SQLite in var/
	@exec $(BIN)/gateway serve

demo: $(RUN) ## Play a day of a small shop against the gateway that `make serve` runs
	@$(BIN)/gateway demo

install: $(DEV) ## Make .venv with everything for development

test: $(DEV) ## Run all tests on SQLite and PostgreSQL, with coverage (JOBS=2)
	$(BIN)/pytest -n $(JOBS) --cov --cov-fail-under=$(COVERAGE)

lint: $(DEV) ## Check style and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(DEV) ## Check types
	$(BIN)/mypy

format: $(DEV) ## Repair style and format where that is safe
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(DEV) ## Measure what the documentation claims; takes minutes, wants an idle machine
	$(BIN)/python -m bench.interpreter
	$(BIN)/python bench/providers.py
	$(BIN)/python bench/run.py

mutants: $(DEV) ## Alter the interpreter in small ways and see whether its tests notice; takes half an hour
	$(BIN)/python bench/mutate.py gateway/keywords --all --tests $(MUTANTS_FIRST) --then tests/unit/keywords

crash: $(DEV) ## Kill the server under load, again and again (CRASH_ROUNDS=500); takes hours
	GATEWAY_CRASH_ROUNDS=$(CRASH_ROUNDS) $(BIN)/pytest tests/crash -m crash --timeout 0

docs: $(DEV) ## Write the generated files anew
	$(BIN)/python -m gateway.configuration.example > $(VENV)/generated
	mv $(VENV)/generated config/gateway.example.toml
	$(BIN)/python -m gateway.configuration.reference > $(VENV)/generated
	mv $(VENV)/generated docs/reference/settings.md
	$(BIN)/python -m gateway.cli.reference > $(VENV)/generated
	mv $(VENV)/generated docs/reference/commands.md

lock: $(DEV) ## Lock the dependencies of pyproject.toml, none younger than a week (UPGRADE=1: raise them)
	$(LOCKED) -r requirements/lock.txt
	$(COMPILE) pyproject.toml -o requirements/run.txt
	$(COMPILE) pyproject.toml --group dev -c requirements/run.txt -o requirements/dev.txt
	printf 'hatchling\neditables\n' | $(COMPILE) - -c requirements/dev.txt -o requirements/build.txt
	echo uv | $(COMPILE) - -o requirements/lock.txt

clean: ## Remove everything that can be made anew; var/ with its data stays
	rm -rf $(VENV) .coverage .coverage.* htmlcov build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# pip writes no hash for the folder itself, and must not fetch a build backend that no lock names.
$(RUN): requirements/run.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo "Installing the gateway into $(VENV)"
	@$(LOCKED) -r requirements/run.txt -r requirements/build.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements/dev.txt $(RUN)
	@echo "Installing the tools for development into $(VENV)"
	@$(LOCKED) -r requirements/dev.txt
	@touch $@

# A `python3` may be too old or, on Debian, without the parts that make a venv: the first that has all is taken.
$(BIN)/python:
	@for each in $(PYTHON) python3.11 python3 python3.12 python3.13 python3.14 python; do \
		if "$$each" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			exec "$$each" -m venv $(VENV); \
		fi; \
	done; \
	echo "Python 3.11 or newer is needed, with its venv module (on Debian and Ubuntu: python3-venv)." >&2; \
	echo "Install it, or name it: make PYTHON=/path/to/python3.11" >&2; \
	exit 1
