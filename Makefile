# Every command of the project, each in one place. `make help` lists them.
SHELL := bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Python 3.13 is the Lambda runtime and is preferred where it is installed; 3.11 and newer run everything but the layer.
PYTHON ?= $(shell for p in python3.13 "$$(pyenv root 2>/dev/null)"/versions/3.13*/bin/python3 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { command -v "$$p"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
export PYTHONPATH := shared:functions
export SAM_CLI_TELEMETRY := 0

help: ## list the commands
	@awk -F ':.*## ' '/^##@/ {print "\n" substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-14s%s\n", $$1, $$2}' \
		$(MAKEFILE_LIST)

##@ On a laptop

# The environment is rebuilt when the lock changes, and only then.
$(VENV)/.locked: requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: none was found on the PATH."; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@touch $@

setup: $(VENV)/.locked ## create the environment from the lock file

run: setup ## serve the API on http://127.0.0.1:3000 (PORT overrides) with its own database and demo data
	@$(BIN)/python -m local.run

sync: setup ## run the daily batch once on the database of `make run` and print its counts
	@$(BIN)/python -m local.sync

market: setup ## fetch price and network once over the internet, for the database of `make run`, and print the row
	@$(BIN)/python -m local.market

migrate: setup ## bring the database that DATABASE_URL names to the bundle's schema
	@$(BIN)/python -m local.migrate migrate

detach: setup ## take views and functions out of the way of the CRM's own migration; `make migrate` brings them back
	@$(BIN)/python -m local.migrate detach

unmigrate: setup ## take everything of the bundle's away again from the database that DATABASE_URL names
	@$(BIN)/python -m local.migrate unmigrate

##@ In containers and in AWS

# Another architecture than this machine's is for deploying: `make deploy` sees to it.
ARCH ?= $(subst aarch64,arm64,$(shell uname -m))
SAM := PATH="$(abspath $(BIN)):$$PATH" sam
build: setup ## build the functions and the layer for this machine, or for ARCH=arm64 or x86_64
	@ARCH=$(ARCH) $(SAM) build --parameter-overrides Architecture=$(ARCH)

deploy: setup ## build for what is deployed and deploy it: make deploy ENV=prod (docs/deploy.md)
	@test -n "$(ENV)" || { echo "Which environment of samconfig.toml? make deploy ENV=prod"; exit 1; }
	@$(SAM) build && $(SAM) deploy --config-env $(ENV)

invoke: build ## run a function in a container on the local database: make invoke FN=hosting_stats
	@$(BIN)/python -m local.sam invoke $(FN)

api: build ## serve the API out of containers (needs Docker; PORT overrides 3000)
	@$(BIN)/python -m local.sam api

##@ Checks

check: setup ## ruff, mypy, template lint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@for t in template.yaml dashboard.yaml; do \
		AWS_DEFAULT_REGION=eu-central-1 $(BIN)/sam validate --lint --template $$t || exit 1; done

test: setup ## run the whole suite on a real PostgreSQL (POSTGRES=15, 16, 17 or 18, or the URL of a server for tests)
	@$(BIN)/python -m pytest -n auto --dist loadfile

OLDEST := 15
test-oldest: setup ## run what touches SQL on the oldest PostgreSQL that is promised
	@POSTGRES=$(OLDEST) $(BIN)/python -m pytest -n auto --dist loadfile -m sql

coverage: setup ## run the suite and say what of the deployed code it does not reach (fails below 97 %)
	@$(BIN)/python -m pytest -n auto --dist loadfile --cov --cov-fail-under=97

test-sam: setup ## build, and run every function in a container (needs Docker; takes minutes)
	@$(BIN)/python -m pytest -m sam

test-browser: setup ## look at the panel in a browser (needs Debian's chromium); pictures go to .screenshots
	@$(BIN)/python -m pytest -m browser -n auto --dist loadfile

fuzz: setup ## let schemathesis ask every endpoint 2,000 times (EXAMPLES overrides)
	@FUZZ_EXAMPLES=$(or $(EXAMPLES),2000) $(BIN)/python -m pytest -q tests/http/test_fuzz.py

oracle: setup ## compare every figure with a second implementation over 1,000 random databases (DATABASES overrides)
	@ORACLE_DATABASES=$(or $(DATABASES),1000) $(BIN)/python -m pytest -q tests/fleet/test_oracle.py

tamper: setup ## meddle with every message between the bundle and PostgreSQL (takes an hour)
	@TAMPERINGS=1000000 $(BIN)/python -m pytest -q -n auto tests/postgres/test_tampering.py

kill: setup ## kill a thousand runs of the batch at random moments (KILLS and SEED override)
	@KILLS=$${KILLS:-334} SEED=$${SEED:-$$RANDOM} $(BIN)/python -m pytest -q tests/sync/test_killed.py

outage: setup ## have the database away for two minutes by the clock, wherever a run may be (SECONDS_AWAY overrides)
	@OUTAGE_SECONDS=$(or $(SECONDS_AWAY),120) $(BIN)/python -m pytest -q -n 8 --dist load tests/sync/test_patience.py \
		-k "away_at or away_in or read_only"

##@ Measurements

bench: setup ## measure against the floor and the CRM's own way (SIZES="1000 10000" for less than a million customers)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r benchmarks/requirements.lock
	@$(BIN)/python -m benchmarks.requests $(SIZES)
	@$(BIN)/python -m benchmarks.batch $(SIZES)

bench-year: setup ## simulate a year of the history (CUSTOMERS, DAYS override 100000 and 365, which take 45 minutes)
	@$(BIN)/python -m benchmarks.year $(or $(CUSTOMERS),100000) $(or $(DAYS),365)

bench-history: setup ## measure what the history costs the batch (SIZES="100000" for less than a million customers)
	@$(BIN)/python -m benchmarks.history $(SIZES)

load: setup ## drive the served API with wrk at rising concurrency
	@$(BIN)/python -m benchmarks.load

flood: setup ## measure what a tenant who asks for runs without end costs the others
	@$(BIN)/python -m benchmarks.flood

memory: setup ## print the most memory that each function takes
	@$(BIN)/python -m benchmarks.memory

lists: setup ## measure what lists cost a tenant among few and many customers, and who sees all (SEARCH_INDEX=1 adds the index)
	@$(BIN)/python -m benchmarks.lists

links: setup ## measure a page of links by its state, with a search and without, and what suggestions take
	@$(BIN)/python -m benchmarks.links

bench-view: setup ## measure what the tenant's view costs against the bare table
	@$(BIN)/python -m benchmarks.view_cost

##@ Upkeep

pictures: setup ## take the pictures in docs/images anew, of the demo (needs Debian's chromium)
	@$(BIN)/python -m local.pictures

openapi: setup ## write the OpenAPI document anew, after a change to what the endpoints take or answer
	@$(BIN)/python -m local.openapi

format: setup ## let ruff format and mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml
lock: ## resolve the dependencies anew into the two lock files
	@test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet uv==$(UV_VERSION); }
	$(LOCK) --upgrade --group local --group test --group check --output-file requirements.lock
	$(LOCK) --constraint requirements.lock --output-file shared/requirements.txt
	$(LOCK) --constraint requirements.lock --group bench --output-file benchmarks/requirements.lock

clean: ## remove the environment, the local database and everything built
	rm -rf $(VENV) .local .aws-sam .pytest_cache .mypy_cache .ruff_cache .hypothesis .screenshots .coverage*

.PHONY: $(shell awk -F: '/^[a-z-]+:/ {print $$1}' $(MAKEFILE_LIST))
