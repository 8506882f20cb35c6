# Few verbs; `make help` lists them. Everything else is a verb of .venv/bin/shopsphere.
REGION ?= rdc-a
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Compiled once, also where Python is told to leave no files beside the sources: they are kept apart from these.
PYTEST := env -u PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX=$(CURDIR)/$(VENV)/bytecode $(BIN)/pytest
# Rings beside each other in one process more than cores, the lab's alone at the end (tests/support/rings_at_once.py).
AT_ONCE := --numprocesses=auto --maxprocesses=4 --max-worker-restart=0
COMPILE := $(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header

.DEFAULT_GOAL := help
.PHONY: help up test long smoke check check-left check-right types hooks down lock

help: ## show the verbs
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 14

up: $(READY) ## start the lab and deploy a region (REGION=rdc-a, rdc-b, rdc-c, hq or all; NODES=2)
	@$(BIN)/shopsphere lab prepare
	@$(BIN)/shopsphere lab up $(REGION) $(if $(NODES),--nodes $(NODES))
	@$(BIN)/shopsphere up $(REGION)
	@$(BIN)/shopsphere lab tour

test: $(READY) ## set up what is missing and run all rings of tests but what takes long
	@$(BIN)/shopsphere lab prepare
	@$(PYTEST) $(AT_ONCE) --durations=20 --durations-min=1 -m "not long"

long: $(READY) ## the tests of the lab that `test` leaves out: 20 minutes of lost witnesses, lost sites, floods and leaks
	@$(BIN)/shopsphere lab prepare
	@$(PYTEST) --durations=20 --durations-min=1 -m long

smoke: $(READY) ## the same without the tests that lose a site or move a pair
	@$(BIN)/shopsphere lab prepare
	@$(PYTEST) $(AT_ONCE) --durations=20 --durations-min=1 -m "not full and not long"

check: $(READY) ## lint, types, and the rings model and graph: under a minute on two cores
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target types check-left check-right

# Two halves that take as long as each other; loading what tests need takes 4 s a process, so that there are two. Types
# take a second, but a minute where nothing is cached: then both halves run beside them, one after the other.
check-left: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(PYTEST) -q tests/model/test_[a-p]*.py

check-right: $(READY)
	@$(PYTEST) -q tests/graph tests/seeded/test_seeds_fit.py tests/model/test_[q-z]*.py

types: $(READY)
	@$(BIN)/python tools/check_types.py

hooks: $(READY) ## check what is committed (needs pre-commit on PATH)
	@command -v pre-commit >/dev/null || { \
	  echo "error: no pre-commit on PATH" >&2; \
	  echo "  do:       install it (pipx install pre-commit), then run 'make hooks' again" >&2; exit 1; }
	@pre-commit install

down: $(READY) ## stop the lab and remove all that it made (tools and images stay in the cache)
	@$(BIN)/shopsphere lab down

lock: $(READY) ## write the three locks anew from their .in files
	@$(BIN)/python -m pip install --quiet uv
	@$(COMPILE) --output-file requirements.lock requirements.in
	@$(COMPILE) --constraint requirements.lock --output-file requirements-dev.lock requirements-dev.in
	@$(COMPILE) --constraint requirements.lock --output-file app/requirements.lock app/requirements.in

# The project's own build needs no isolation: the lock has setuptools, so that nothing unpinned is downloaded.
$(READY): requirements.lock requirements-dev.lock pyproject.toml app/__init__.py
	@tools/make-venv $(VENV)
	@touch $@
