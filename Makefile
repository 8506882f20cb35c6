# Few verbs; `make help` lists them. Everything else is a verb of .venv/bin/shopsphere.
REGION ?= rdc-a
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PACKAGES := $(patsubst %/__init__.py,%,$(wildcard */__init__.py))

.DEFAULT_GOAL := help
.PHONY: help up test check down lock

help: ## show the verbs
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 14

up: $(READY) ## start the lab and deploy a region (REGION=rdc-a, rdc-b, rdc-c, hq or all)
	@$(BIN)/shopsphere lab prepare
	@$(BIN)/shopsphere lab up $(REGION)
	@$(BIN)/shopsphere up $(REGION)
	@$(BIN)/shopsphere lab tour

test: $(READY) ## set up what is missing and run all four rings of tests
	@$(BIN)/shopsphere lab prepare
	@$(BIN)/pytest

check: $(READY) ## lint, types, and the rings model and graph: under a minute
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(PACKAGES)
	@$(BIN)/pytest -q tests/model tests/graph

down: $(READY) ## stop the lab and remove all that it made (tools and images stay in the cache)
	@$(BIN)/shopsphere lab down

lock: $(READY) ## write requirements.lock and app/requirements.lock anew from their .in files
	@$(BIN)/python -m pip install --quiet uv
	@for source in requirements.in app/requirements.in; do \
	  $(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header \
	    --output-file "$${source%.in}.lock" "$$source" || exit 1; \
	done

# The project's own build needs no isolation: the lock has setuptools, so that nothing unpinned is downloaded.
$(READY): requirements.lock pyproject.toml
	@tools/make-venv $(VENV)
	@touch $@
