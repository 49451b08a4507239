# make setup      a virtual environment in .venv with ifseg and all it needs; repeatable, quick when done
# make demo       vocab -> synth -> adapt -> predict -> evaluate on photographs; results in demo/, page demo/index.html
# make test       the tests, a few minutes on two cores
# make test-slow  the tests that take minutes each
# make test-interop  exports read back by datumaro and labelme, in an environment of their own
# make lint       style, types, and who may import whom
# make clean      everything made here goes: .venv, demo, caches

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: setup demo test test-slow test-interop lint clean

PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin
READY := .venv/.ready

# Two workers with one thread each beat one worker with two threads: most tests are too small to share out.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS)

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo 'error: ifseg needs Python 3.10 or newer; say which: make setup PYTHON=python3.12' >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	  { echo 'error: $(PYTHON) has no venv; on Debian and Ubuntu: apt-get install python3-venv' >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[crf]" || \
	  echo 'note: pydensecrf2 did not compile (no C++ compiler?): --refine crf is not there, its tests skip' >&2
	@touch $@
	@echo 'ready: .venv/bin/ifseg --help'

demo: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" examples/demo.sh

test: setup
	$(PYTEST) -m "not slow"

test-slow: setup
	$(PYTEST) -m slow

test-interop: setup
	test -x .venv-interop/bin/python || $(PYTHON) -m venv .venv-interop
	.venv-interop/bin/python -m pip install --quiet datumaro==1.13.12 labelme==6.3.1
	$(BIN)/python -m pytest -q -rs tests/interop

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright

clean:
	rm -rf .venv .venv-interop demo build dist .work .pytest_cache .ruff_cache .hypothesis .import_linter_cache ./*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
