# What Reelay needs to be run and worked on. Needs make and Python 3.11, 3.12 or 3.13; everything else goes into .venv.
#
#   make run      start Reelay (installs what it needs first)          make bench   measure, and write docs/reference/benchmarks.md
#   make test     run the tests                                        make prove   the long proofs (PROVE_SECONDS=120 for a sample)
#   make lint     ruff, mypy, import-linter                            make lock    resolve requirements*.lock anew
#   make setup    install everything for working on it                 make audit   look the locked packages up for known holes
#   make format   let ruff put the code in shape                       make catalogue   compile the words after a change of a .po file

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run setup test coverage lint format catalogue bench prove lock audit clean

VENV := .venv
PY := $(VENV)/bin/python
PROVE_SECONDS ?= 1800
export PROVE_SECONDS

# The first Python that suits and can make a virtual environment. Override with: make run PYTHON=/path/to/python
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14)); ' >/dev/null 2>&1 && \
	$$p -c 'import venv, ensurepip' >/dev/null 2>&1 && { echo $$p; break; }; done)

# $(call install,FILE,NAME): bring .venv to the state of a lock, once. The note in .venv holds the lock's sum, so that another lock, a half-finished
# installation or a Python that is gone are all mended by the next call, and an up-to-date one costs milliseconds.
define install
@set -e; \
if ! $(PY) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1; then \
	if [ -z "$(PYTHON)" ]; then \
		echo "Reelay needs Python 3.11, 3.12 or 3.13 with venv; none was found." >&2; \
		echo "Debian and Ubuntu: apt install python3 python3-venv. Or name one: make run PYTHON=/path/to/python3.13" >&2; \
		exit 1; \
	fi; \
	$(PYTHON) -m venv --clear $(VENV); \
fi; \
sum=$$(cksum < $(1)); \
if [ "$$(cat $(VENV)/.$(2)-lock 2>/dev/null)" != "$$sum" ]; then \
	echo "Installing what $(1) names into $(VENV) …"; \
	$(PY) -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r $(1); \
	printf '%s\n' "$$sum" > $(VENV)/.$(2)-lock; \
fi
endef

help:
	@sed -n 's/^#  //p' Makefile

run:
	$(call install,requirements.lock,run)
	@exec $(PY) -m bot run

setup:
	$(call install,requirements-dev.lock,dev)

# Each process takes whole files: what a module's tests share is started once. Two for each of at most two processors and one more, because half of
# the time is waiting for processes of their own. One process: make test WORKERS=0
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); echo $$((n < 3 ? n * 2 + 1 : 6)))
PARALLEL = --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder
# Each of them reads every test: with what the last run has compiled in a third of the time.
test coverage: export PYTHONDONTWRITEBYTECODE =

test: setup
	$(PY) -m pytest $(PARALLEL) $(ARGS)

coverage: setup
	$(PY) -m pytest $(PARALLEL) --cov --cov-report=term-missing:skip-covered $(ARGS)

lint: setup
	@status=0; \
	for step in "ruff check ." "ruff format --check ." "mypy" "importlinter"; do \
		echo "── $$step"; \
		case $$step in \
			importlinter) PYTHONPATH=. $(PY) $(VENV)/bin/lint-imports || status=1 ;; \
			*) $(PY) -m $$step || status=1 ;; \
		esac; \
	done; exit $$status

format: setup
	$(PY) -m ruff check --fix-only --quiet .
	$(PY) -m ruff format .

catalogue: setup
	$(PY) -m babel.messages.frontend compile --directory bot/locale --domain reelay

bench: setup
	$(PY) -m tests.benchmarks --write $(ARGS)

prove: setup
	$(PY) -m tests.prove $(ARGS)

# Universal for Python 3.11–3.13, every file by its hash, no address of any server. Local wheels and pip's settings are kept out of it.
LOCK = env -u PIP_FIND_LINKS -u PIP_INDEX_URL -u PIP_EXTRA_INDEX_URL -u UV_FIND_LINKS -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL \
	uv pip compile pyproject.toml --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links
lock: setup
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(LOCK) $(ARGS) --output-file requirements.lock
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(LOCK) $(ARGS) --group dev --constraints requirements.lock --output-file requirements-dev.lock

audit: setup
	$(PY) -m pip_audit --require-hashes --disable-pip --requirement requirements.lock
	$(PY) -m pip_audit --require-hashes --disable-pip --requirement requirements-dev.lock

clean:
	rm -rf $(VENV) build dist htmlcov .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
