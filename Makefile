# The whole study and its tests; everything is installed into .venv/, nothing else on the machine is changed.
# `make help` lists the commands.

SIZE ?= quick
VENV := .venv
BIN := $(VENV)/bin
# The first of these that runs and is Python 3.11 or 3.12.
PYTHON ?= $(shell for python in python3 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null \
	&& echo $$python && break; done)

# Notebooks run in their own folder, so folders of data must not be relative; names may hold spaces.
ABSOLUTE = $(BIN)/python -c 'import os, sys; print(os.pathsep.join(os.path.abspath(p) for p in sys.argv[1].split(os.pathsep) if p))'
RUN = POSEKIT_DATA="$$($(ABSOLUTE) "$$POSEKIT_DATA")" POSEKIT_MPII="$$($(ABSOLUTE) "$$POSEKIT_MPII")" \
	POSEKIT_LSPET="$$($(ABSOLUTE) "$$POSEKIT_LSPET")" POSEKIT_LSP="$$($(ABSOLUTE) "$$POSEKIT_LSP")" $(BIN)/python

.DEFAULT_GOAL := help
.PHONY: help setup study test fuzz lab app notebooks figures lint

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## *' '{ printf "%-10s %s\n", $$1, $$2 }'
	@echo "Variables: SIZE=quick|half|full, FORCE=1 to train again, POSEKIT_DATA=folder[:folder] of MPII, LSP, LSP Extended"

$(VENV)/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed; name one by: make PYTHON=/path/to/python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "venv is missing; on Debian: apt install python3-venv"; exit 1; }
	@echo "Installing the packages of requirements.lock (some minutes, once) ..."
	$(BIN)/python -m pip install --disable-pip-version-check --no-compile --requirement requirements.lock
	@echo "Compiling them on all cores ..."
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true  # some hold templates that are not Python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

setup: $(VENV)/installed  ## install into .venv/ (the other commands do it when it is missing)

study: setup  ## data, six trainings, figures, notebooks (about 10 minutes on two cores)
	$(RUN) -m posekit study --size $(SIZE) $(if $(FORCE),--force)

test: setup  ## all tests
	$(RUN) -m pytest

fuzz: setup  ## feed 1,000 damaged files to the commands (some minutes)
	$(RUN) benchmarks/fuzz.py

lab: setup  ## open the notebooks in JupyterLab
	$(RUN) -m jupyter lab notebooks

app: setup  ## a page in the browser: joints in your own photograph, then people to browse
	$(RUN) -m voila notebooks/app.ipynb

notebooks: setup  ## execute the notebooks and keep the outputs in them, as they are committed
	$(BIN)/python -m posekit notebooks

figures: setup  ## figures and tables from the records, without training
	$(RUN) -m posekit figures

lint: setup  ## check style, notebooks included
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
