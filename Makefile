# Needs make and python3 (3.11 or newer), nothing else: everything is installed into .venv, with
# versions and hashes from the lock files. `make PYTHON=python3.12 ...` chooses the interpreter.

# A python3 that a version manager has compiled without optimisation is a quarter slower than the distribution's, which
# then takes its place where it fits.
SLOW := import sys, sysconfig; sys.exit(sys.base_prefix == "/usr" or "--enable-opt" in sysconfig.get_config_var("CONFIG_ARGS"))
FITS := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
ifeq ($(origin PYTHON), undefined)
PYTHON := $(shell { python3 -c '$(SLOW)' && /usr/bin/python3 -c '$(FITS)' && echo /usr/bin/python3; } 2> /dev/null || echo python3)
endif
VENV := .venv
BIN := $(VENV)/bin
CODE := $(foreach each,app identity migrations tests benchmarks,$(if $(shell find $(each) -name '*.py' -print -quit 2> /dev/null),$(each)))
ARGS ?=
# A process that may not keep its bytecode compiles every module again at every start: three times the time of a start.
unexport PYTHONDONTWRITEBYTECODE

# A stamp's name changes with what it stands for: the locked versions, the place, the interpreter.
# RUN is what the server runs on; DEV adds the tools of development to the same environment.
RUN := $(VENV)/run-$(shell { cat requirements.lock requirements-build.lock Makefile; sed '/^\[tool/,$$d' pyproject.toml; pwd; $(PYTHON) -c 'import sys; print(sys.version, sys.base_prefix)'; } 2>&1 | cksum | cut -d ' ' -f 1)
DEV := $(VENV)/dev-$(shell cat requirements-dev.lock 2>&1 | cksum | cut -d ' ' -f 1)

# --no-compile: the first start compiles the modules that it imports, which is a tenth of them.
PIP := $(BIN)/python -m pip --no-input --disable-pip-version-check install --no-compile
# A line for every 25 packages that arrive instead of pip's five for each; the end of its output if it fails.
PROGRESS := awk '{ last[NR % 20] = $$0 } \
  /^(Collecting|Processing) / && ++n % 25 == 0 { print "  " n " packages fetched"; fflush() } \
  /^Installing/ { print "  unpacking"; fflush() } \
  /^FAILED$$/ { for (i = 1; i < 20; i++) if (last[(NR + i) % 20] != "") print last[(NR + i) % 20]; exit 1 }'
locked = { $(PIP) --no-deps --require-hashes $(1) 2>&1 || echo FAILED; } | $(PROGRESS)

.PHONY: help setup run test coverage soak bench lint format lock clean

help:  ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

setup: $(DEV)  ## the virtual environment, with everything that is locked

$(RUN) $(DEV): export PIP_USER := 0
$(RUN) $(DEV): export PIP_REQUIRE_VIRTUALENV := 0
$(RUN):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Onefold needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1 || echo missing). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; \
	  exit 1; }
	@echo "Setting up $(VENV) (once, about a minute)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(call locked,-r requirements.lock -r requirements-build.lock)
	@$(PIP) --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(RUN)
	@echo "Adding the tools of development"
	@$(call locked,-r requirements-dev.lock)
	@rm -f $(VENV)/dev-*
	@touch $@

run: $(RUN)  ## the server with a demo space and a guided tour; PORT=8100 chooses the port
	@exec $(BIN)/onefold demo $(if $(PORT),--port $(PORT))

# Most tests wait for servers, so more processes than cores run them; each has a Postgres of its own.
# Files go out in the order of tests/conftest.py, the long ones first.
PARALLEL := --numprocesses 4 --dist loadfile --no-loadscope-reorder --durations 15
test: setup  ## every test but the long ones; ARGS= chooses tests and options of pytest
	@$(BIN)/python -m pytest $(or $(ARGS),$(PARALLEL))

# A fixed part of the tests, with few examples and one seed, so that the number moves with the code alone: every pure
# module, and four of the HTTP surface against a server, which is measured as well.
COVERED := $(addprefix --ignore tests/identity/values/, test_phone_numbers.py test_extras.py) $(addprefix tests/, identity/planning identity/values \
  identity/vault identity/webhooks $(addprefix app/routes/, test_profiles.py test_erasures.py test_groups.py \
  segment/test_profile_api.py))
coverage: setup  ## branch coverage of app and identity by a fixed part of the tests; the least is in pyproject.toml
	@$(BIN)/python -m coverage erase
	@HYPOTHESIS_PROFILE=coverage $(BIN)/python -m coverage run -m pytest --quiet --numprocesses 2 --dist loadfile \
	  --hypothesis-seed 0 -p no:randomly $(COVERED)
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report

PROPERTIES := $(addprefix tests/, app/drawing app/http concurrency/properties $(addprefix identity/, operations/ingest \
  planning spaces store/postgres values vault webhooks))
soak: setup  ## the long tests, and the properties over many examples
	@$(BIN)/python -m pytest -m soak --timeout 7200 $(ARGS)
	@HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest $(PROPERTIES) --timeout 7200 $(ARGS)

bench: setup  ## Onefold beside its rivals, see benchmarks/README.md
	@$(BIN)/python -m benchmarks $(ARGS)

lint: setup  ## style, types, the dependency rule, plain English
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/mypy $(CODE)
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.support.plain_english $(filter-out migrations,$(CODE)) docs *.md

format: setup  ## lay the code out
	@$(BIN)/ruff check --fix-only $(CODE)
	@$(BIN)/ruff format $(CODE)

# Newest versions that pyproject.toml allows, for every Python and system it allows; no address of
# an index gets into the lock. Each lock only adds to those before. uv is wanted only here.
LOCK := env -u UV_INDEX -u UV_DEFAULT_INDEX -u UV_FIND_LINKS -u PIP_FIND_LINKS $(BIN)/uv pip compile --no-config --quiet \
  --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header
lock: setup  ## write the lock files anew
	@$(PIP) --quiet uv
	@$(LOCK) --all-extras pyproject.toml -o requirements.lock
	@$(LOCK) --group build -c requirements.lock -o requirements-build.lock
	@$(LOCK) --all-extras --group dev -c requirements.lock -c requirements-build.lock pyproject.toml -o requirements-dev.lock

clean:  ## remove what was made here, but never data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
