# make build   the whole way once: environment, sample company, load, dbt build, docs, summary, publish
# make test    all that CI runs, but for make test-airflow
.DEFAULT_GOAL := build
.PHONY: build test test-airflow lint format crawlers lock clean

PYTHON ?= python3
BIN := .venv/bin
CUSTOMERS ?= 5000
DAYS ?= 120
SEED ?= 7
WAREHOUSE ?= warehouse/warehouse.duckdb

-include .env
export
# Python keeps what it compiles, whatever the environment says: dbt starts in half the time.
unexport PYTHONDONTWRITEBYTECODE

build: .venv/.complete
	$(BIN)/python -m sample make --customers $(CUSTOMERS) --days $(DAYS) --seed $(SEED) --warehouse $(WAREHOUSE)
	$(BIN)/python -m sample serve -- $(BIN)/python -m load
	$(BIN)/python -m operate publish --yes

test: .venv/.complete lint
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

# Makes an environment of its own for Airflow, examples/airflow/.venv.
test-airflow: .venv/.complete
	$(BIN)/python -m pytest -m airflow tests/commands/test_airflow.py

lint: .venv/.complete
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/sqlfluff lint --nocolor --disable-progress-bar --processes 2 models analyses tests/rules

format: .venv/.complete
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix --nocolor --disable-progress-bar models analyses tests/rules

# The environment is exactly what the lock says: every package by version and hash. uv, which comes from the lock too,
# takes a fifth of pip's time; pip does it where uv cannot reach the registry.
INSTALL := pip install --quiet --require-hashes --no-deps --requirement
.venv/.complete: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; found: $$($(PYTHON) --version). Name another one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\]$$/p' requirements.lock >.venv/uv.lock
	$(BIN)/python -m $(INSTALL) .venv/uv.lock --disable-pip-version-check
	@index="$${PIP_INDEX_URL:-$$($(BIN)/python -m pip config get global.index-url 2>/dev/null)}"; \
		env VIRTUAL_ENV=.venv $${index:+UV_DEFAULT_INDEX="$$index"} $(BIN)/uv $(INSTALL) requirements.lock || \
		$(BIN)/python -m $(INSTALL) requirements.lock --disable-pip-version-check
	touch $@

# The crawlers that the installed package knows, as a macro.
crawlers: .venv/.complete
	$(BIN)/python -m operate.crawlers

# After a change in pyproject.toml: resolves anew for all Pythons from 3.11 on.
lock: .venv/.complete
	$(BIN)/uv pip compile pyproject.toml --group dev --extra feast --extra metrics --extra prefect --universal --python-version 3.11 --generate-hashes \
		--no-header --strip-extras --output-file requirements.lock
	$(BIN)/uv pip compile examples/airflow/requirements.in --universal --python-version 3.11 --generate-hashes \
		--no-header --strip-extras --output-file examples/airflow/requirements.lock

clean:
	rm -rf target logs sample/company
	find warehouse -mindepth 1 ! -name .gitignore -delete
