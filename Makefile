# The few words a contributor uses daily.

PYTHON ?= python3
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE ?= 1

.PHONY: demo demo-reset install up test chaos bench check lock

demo: .venv/run
	@exec $(BIN)/python manage.py up --demo

demo-reset: .venv/run
	@$(BIN)/python -m sandbox.reset

install: .venv/run

up: .venv/run
	@exec $(BIN)/python manage.py up

test: .venv/dev
	$(BIN)/pytest

chaos: .venv/dev
	$(BIN)/python -m tests.chaos

bench: .venv/dev
	$(BIN)/python -m tests.bench

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy amiportal registry sandbox tests manage.py
	$(BIN)/lint-imports
	$(BIN)/python manage.py check
	$(BIN)/python manage.py makemigrations --check --dry-run

lock: .venv/dev
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --quiet pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --quiet --extra dev pyproject.toml -o requirements-dev.lock

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "AMI Portal needs Python 3.11 or newer; set PYTHON to one."; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { echo "Python's venv is missing (Debian: apt-get install python3-venv)."; rm -rf .venv; exit 1; }

# The development lock holds all of the other: it serves both.
.venv/run: requirements.lock | .venv/bin/python
	@test -e .venv/dev -a .venv/dev -nt requirements.lock || \
	  $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

.venv/dev: requirements-dev.lock | .venv/bin/python
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
