# The whole study and its tests; everything is installed into .venv/, nothing else on the machine is changed.
# `make help` lists the commands.

PROFILE ?= quick
VENV := .venv
BIN := $(VENV)/bin
# The first of these that runs and is Python 3.11 or 3.12.
PYTHON ?= $(shell for python in python3 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null \
	&& echo $$python && break; done)

# Notebooks run in their own folder, so the data folder must not be relative.
ifneq ($(strip $(POSEKIT_MPII)),)
export POSEKIT_MPII := $(abspath $(POSEKIT_MPII))
endif
ifneq ($(strip $(POSEKIT_LSPET)),)
export POSEKIT_LSPET := $(abspath $(POSEKIT_LSPET))
endif

.DEFAULT_GOAL := help
.PHONY: help setup study test lab app notebooks figures lint

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## *' '{ printf "%-10s %s\n", $$1, $$2 }'
	@echo "Variables: PROFILE=quick|half|full, FORCE=1 to train again, POSEKIT_MPII=folder to use MPII, POSEKIT_LSPET=folder for more people"

$(VENV)/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed; name one by: make PYTHON=/path/to/python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "venv is missing; on Debian: apt install python3-venv"; exit 1; }
	@echo "Installing the packages of requirements.lock (some minutes, once) ..."
	$(BIN)/python -m pip install --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

setup: $(VENV)/installed  ## install into .venv/ (the other commands do it when it is missing)

study: setup  ## data, six trainings, figures, notebooks (about 6 minutes on two cores)
	$(BIN)/python -m posekit study --profile $(PROFILE) $(if $(FORCE),--force)

test: setup  ## all tests
	$(BIN)/python -m pytest

lab: setup  ## open the notebooks in JupyterLab
	$(BIN)/python -m jupyter lab notebooks

app: setup  ## the visualizer alone, as a page in the browser
	$(BIN)/voila notebooks/06_visualizer.ipynb

notebooks: setup  ## execute the notebooks and keep the outputs in them, as they are committed
	$(BIN)/python -m posekit notebooks

figures: setup  ## figures and tables from the records, without training
	$(BIN)/python -m posekit figures

lint: setup  ## check style, notebooks included
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
