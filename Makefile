# The two commands a newcomer needs are `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
PYTEST = sh tests/run.sh $(BIN)/python
# How an IRIS may write values, beside the way that the embedded one takes by default.
ENCODINGS := odbc merged digits
# Tests that start no server, browser or Redis; `make check` runs them.
UNIT := tests/test_*.py tests/sql tests/tables tests/commands tests/atelier tests/sessions tests/faults/test_ledger.py
PORT ?= 8000
ROWS ?=
ARGS ?=

.PHONY: help demo check test test-all engines lint format types js bench faults mutants soak protocol screenshots wheel clean \
	setup

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/:/' | column -t -s ':'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo-installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[demo]'
	@touch $@

$(VENV)/.test-installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[demo,redis,test]'
	@touch $@ $(VENV)/.demo-installed

demo: $(VENV)/.demo-installed  ## Embedded IRIS and web server; sign in as _SYSTEM / SYS
	@$(BIN)/iris-quart demo --port $(PORT) $(if $(ROWS),--rows $(ROWS)) $(ARGS)

setup: $(VENV)/.test-installed  ## Install what the tests need beside Python: Chromium, Redis, nginx, Node.js
	@sh tests/setup.sh $(BIN)

engines: setup  ## Install Firefox and WebKit, which make test-all looks at the page with
	@sh tests/setup.sh $(BIN) engines

node_modules/.installed: package.json package-lock.json
	npm ci --silent
	@touch $@

lint: $(VENV)/.test-installed node_modules/.installed  ## Style of Python and JavaScript, types of JavaScript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	npm run --silent lint

types: $(VENV)/.test-installed  ## Types
	$(BIN)/mypy

js: setup  ## JavaScript modules, each on its own
	node --test tests/js/

check: $(VENV)/.test-installed lint types  ## Lint, types, and the tests that need no server or browser
	node --test tests/js/
	$(PYTEST) -m "not slow and not live and not browser and not redis" $(UNIT) $(ARGS)

test: setup lint types js  ## The quick loop: lint, types, unit, live and browser tests
	$(PYTEST) -m "not slow" $(ARGS)

test-all: engines lint types js  ## Everything: other encodings, faults, bombs, several machines
	$(PYTEST) $(ARGS)
	@set -e; for encoding in $(ENCODINGS); do \
	    echo "values written as $$encoding"; \
	    IRIS_QUART_DEMO_ENCODING=$$encoding $(PYTEST) -m "not slow" tests/live tests/commands tests/web tests/tables; \
	done

format: $(VENV)/.test-installed node_modules/.installed  ## Rewrite to the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	npm run --silent format

bench: $(VENV)/.test-installed  ## Measure; ratios within one run, also written to bench.json
	$(BIN)/python -m tests.benchmarks $(ARGS)

faults: $(VENV)/.test-installed  ## 20,000 seeded edits over 20 seeds under faults
	$(BIN)/python -m tests.faults.run $(ARGS)

mutants: $(VENV)/.test-installed  ## Change the code here and there and see that a test notices; an hour
	$(BIN)/python -m tests.mutants $(ARGS)

soak: $(VENV)/.test-installed  ## Hold 300 sockets and watch the memory; ARGS="--minutes 60"
	$(BIN)/python -m tests.soak $(ARGS)

protocol: $(VENV)/.test-installed  ## Generate the reference of commands and events, and the names that the page uses
	$(BIN)/iris-quart protocol --write

screenshots: setup  ## Take the pictures of docs/images again
	$(BIN)/python -m tests.screenshots

wheel: $(VENV)/.test-installed  ## Build the wheel and the source archive into dist/
	$(BIN)/python -m build

clean:  ## Remove what was built
	rm -rf dist build $(VENV)
