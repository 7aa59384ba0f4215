# Needs make and python3 (3.11 or newer), nothing else: everything is installed into .venv, with
# versions and hashes from the lock files. `make PYTHON=python3.12 ...` chooses the interpreter.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CODE := $(foreach each,app identity migrations tests benchmarks,$(if $(shell find $(each) -name '*.py' -print -quit 2> /dev/null),$(each)))
ARGS ?=

# The name changes with the locked versions, the place and the interpreter; each change rebuilds.
STAMP := $(VENV)/ready-$(shell { cat requirements-dev.lock Makefile; pwd; $(PYTHON) -c 'import sys; print(sys.version, sys.base_prefix)'; } 2>&1 | cksum | cut -d ' ' -f 1)

.PHONY: help setup run test soak bench lint format lock clean

help:  ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

setup: $(STAMP)  ## the virtual environment, with everything that is locked

$(STAMP): export PIP_USER := 0
$(STAMP): export PIP_REQUIRE_VIRTUALENV := 0
$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Onefold needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1 || echo missing). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; \
	  exit 1; }
	@echo "Setting up $(VENV) (once, about a minute)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --no-input --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -c 'import os, sysconfig; print(os.getcwd(), file=open(sysconfig.get_path("purelib") + "/onefold.pth", "w"))'
	@printf '%s\n' '#!/bin/sh' "'''exec' '$$(pwd)/$(BIN)/python' \"\$$0\" \"\$$@\"" "' '''" 'from app.cli import main' '' 'if __name__ == "__main__":' '    main()' > $(BIN)/onefold
	@chmod +x $(BIN)/onefold
	@touch $@

run: setup  ## the server with a demo space and a guided tour, on http://127.0.0.1:8000
	@exec $(BIN)/onefold demo

test: setup  ## every test but the long ones, in lanes; with ARGS= they go to one pytest
	@$(BIN)/python -m $(if $(ARGS),pytest $(ARGS),tests)

soak: setup  ## the long tests
	@$(BIN)/python -m pytest -m soak --timeout 7200 $(ARGS)

bench: setup  ## Onefold beside its rivals, see benchmarks/README.md
	@$(BIN)/python -m benchmarks $(ARGS)

lint: setup  ## style, types, the dependency rule
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/mypy $(CODE)
	@$(BIN)/lint-imports

format: setup  ## lay the code out
	@$(BIN)/ruff check --fix-only $(CODE)
	@$(BIN)/ruff format $(CODE)

# Newest versions that pyproject.toml allows, for every Python and system it allows; no address of
# an index gets into the lock. uv is wanted only here.
LOCK := env -u UV_INDEX -u UV_DEFAULT_INDEX -u UV_FIND_LINKS -u PIP_FIND_LINKS $(BIN)/uv pip compile --no-config --quiet \
  --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header
lock: setup  ## write the lock files anew
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(LOCK) pyproject.toml -o requirements.lock
	@$(LOCK) --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:  ## remove what was made here, but never data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
