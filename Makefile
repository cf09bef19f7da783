# CareLink: everything is installed into .venv from the lock files; nothing else is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
STATIC := carelink/static/.built
FILES := carelink fhir_adapters workflows tests benchmarks

.PHONY: help demo test bench bench-audit lint format docs lock audit soak clean

help:  ## what there is
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.run $(STATIC)  ## the whole system with invented people, at http://127.0.0.1:8000
	$(BIN)/carelink demo $(ARGS)

test: $(VENV)/.test $(STATIC)  ## every test but the long ones
	$(BIN)/pytest -n 2 --dist loadfile $(ARGS)

bench: $(VENV)/.test $(STATIC)  ## measure against floors of the same run; writes benchmarks/results/
	$(BIN)/python -m benchmarks $(ARGS)

bench-audit: $(VENV)/.test $(STATIC)  ## a million events of the audit, sealed and verified
	$(BIN)/python -m benchmarks million

soak: $(VENV)/.test $(STATIC)  ## the properties and faults again, for long
	CARELINK_SOAK=1 $(BIN)/pytest tests/properties tests/faults $(ARGS)

lint: $(VENV)/.test  ## style, types, and that imports go one way
	$(BIN)/ruff check $(FILES)
	$(BIN)/ruff format --check $(FILES)
	$(BIN)/lint-imports
	$(BIN)/mypy

format: $(VENV)/.test  ## let ruff have its way
	$(BIN)/ruff check --fix $(FILES)
	$(BIN)/ruff format $(FILES)

docs: $(VENV)/.test $(STATIC)  ## take the pictures of the docs again, by the browser tests
	CARELINK_PICTURES=docs/images $(BIN)/pytest tests/browser $(ARGS)

lock: $(VENV)/.test  ## write the lock files anew from pyproject.toml
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet pyproject.toml --extra build -o requirements/run.txt
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet pyproject.toml --extra build --extra print --extra test -c requirements/run.txt -o requirements/test.txt
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet pyproject.toml --extra build --extra node -c requirements/run.txt -o requirements/node.txt
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet pyproject.toml --extra build --extra print -c requirements/run.txt -o requirements/print.txt

audit: $(VENV)/.test  ## known vulnerabilities in the lock (asks the network)
	$(BIN)/pip-audit --require-hashes -r requirements/run.txt

clean:  ## remove what was built; the demo's data in .carelink stays
	rm -rf $(VENV) node_modules carelink/static build *.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "CareLink needs Python 3.11 or newer; $(PYTHON) is older. Say make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python requirements/run.txt pyproject.toml
	$(PIP) --require-hashes -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.run requirements/test.txt
	$(PIP) --require-hashes -r requirements/test.txt
	@touch $@

# npm is the machine's, or the one that pip brings.
$(STATIC): $(VENV)/.run package.json package-lock.json carelink/frontend.py
	@command -v npm >/dev/null || $(PIP) --require-hashes -r requirements/node.txt
	$(BIN)/python -m carelink.frontend
	@touch $@
