# make demo | test | lint | cover | rehearse | bench | install | clean: each installs what it needs, once.
PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
STAMP := $(VENV)/.installed
PO := $(wildcard src/smartabsen/locale/*/LC_MESSAGES/*.po)
MO := $(PO:.po=.mo)

.PHONY: help install demo test cover rehearse lint bench catalogue clean
help:
	@sed -n '1s/^# //p' Makefile

install: $(STAMP) $(MO)

$(STAMP): pyproject.toml constraints.txt hatch_build.py
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "smartabsen needs Python 3.11 or newer; this is %s. Try: make PYTHON=python3.12" % sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

%.mo: %.po $(STAMP)
	$(BIN)/pybabel --quiet compile --input-file $< --output-file $@

demo: install
	$(BIN)/smartabsen demo

test: install
	$(BIN)/python -m pytest -n 2 --dist loadfile --max-worker-restart 0

# The same tests in one process, with the lines that they do not reach.
cover: install
	$(BIN)/python -m pytest --cov --cov-report=term

# The large measurements, which take long; `make test` runs small versions of them.
rehearse: install
	$(BIN)/python -m pytest -m rehearse

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_architecture.py

bench: install
	$(BIN)/python -m bench

# Collect the texts that people read from the sources into the catalogues. What is translated stays; the header too, so
# no --omit-header in the second line, and no new date for each run.
catalogue: install
	mkdir -p build
	$(BIN)/pybabel --quiet extract -F babel.cfg -k N_ --no-location --sort-output --omit-header -o build/smartabsen.pot src/smartabsen
	$(BIN)/pybabel --quiet update -i build/smartabsen.pot -D smartabsen -d src/smartabsen/locale -l id -w 120 --ignore-obsolete --ignore-pot-creation-date

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* htmlcov bench/out
	find src -name '*.mo' -delete
