# Everything runs in .venv, set up from the pinned versions on first use.
FITS = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for one in python3.11 python3.12 python3.13 python3 python; do \
	"$$one" -c '$(FITS)' 2>/dev/null && echo "$$one" && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RUNTIME := $(VENV)/.runtime
STORE ?= data/sample-store
CATALOGUE ?= sample
ORIGINAL ?= data/original-store
PORT ?= $(or $(FASHIFY_PORT),7860)
# The sample's head takes seconds; for another catalogue `fashify learn` makes one when asked.
HEAD = $(if $(wildcard $(STORE)/manifest.json),keep,$(if $(filter sample,$(CATALOGUE)),lda,keep))

# The notebooks with tables that nbval compares; all of them run in tests/notebooks, on a part.
COMPARED := $(addprefix notebooks/,01_eda.ipynb 03_knn_evaluation.ipynb 05_catalogue_audit.ipynb)

.DEFAULT_GOAL := help
.PHONY: help setup sample demo original test nbval lint reports notebooks bench docs harden lock news clean

help:  ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# The demo needs the runtime's packages alone; an environment with everything serves it too.
$(RUNTIME): requirements-runtime.lock pyproject.toml
	$(call install,requirements-runtime.lock)
	@touch $@

$(READY): requirements.lock requirements-runtime.lock pyproject.toml
	$(call install,requirements.lock)
	@touch $(RUNTIME) $@

define install
	@"$(PYTHON)" -c '$(FITS)' || { echo "Expected Python 3.11, 3.12 or 3.13. Received \
	'$(PYTHON)'. Fix: install one, or name it: make PYTHON=/path/to/python3.12."; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q -r $(1)
	$(BIN)/python -m pip install -q --no-deps -e .
endef

setup: $(READY)  ## install everything into .venv

demo: $(RUNTIME)  ## build the sample catalogue's index and open the demo
	$(BIN)/fashify build --catalogue $(CATALOGUE) --out $(STORE) --head $(HEAD)
	$(BIN)/fashify demo --store $(STORE) --port $(PORT)

original: $(RUNTIME)  ## the original design: ResNet50, 2,048 numbers, scikit-learn, Euclidean, five answers
	$(BIN)/fashify build --catalogue $(CATALOGUE) --backbone resnet50 --index sklearn --metric euclidean --out $(ORIGINAL)
	$(BIN)/fashify evaluate --store $(ORIGINAL)
	$(BIN)/fashify demo --store $(ORIGINAL) --port $(PORT)

test: lint  ## lint, then all tests: unit, contract, notebooks, browser
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --nbval-lax tests $(COMPARED)

nbval: $(READY)  ## run every notebook as it stands, and compare the tables that are marked for it
	$(BIN)/python -m pytest -n 2 --dist loadfile --nbval-lax notebooks

lint: $(READY)  ## style, imports between the layers, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

reports: $(READY)  ## run the notebooks on CATALOGUE (default: sample) and write reports/
	$(BIN)/fashify report --catalogue $(CATALOGUE)

notebooks: $(READY)  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

bench: $(READY)  ## measure extraction and search
	$(BIN)/fashify bench extraction
	$(BIN)/fashify bench search --part store

docs: $(READY)  ## build the documentation site into build/site, every link checked
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet

harden: $(READY)  ## hostile files, faults, web attacks, determinism: try to break it all
	$(BIN)/python benchmarks/harden

sample: $(READY)  ## draw the sample catalogue anew into fashify/data
	$(BIN)/python -m sample_catalogue

lock:  ## resolve pyproject.toml afresh and pin what came out, for the runtime and for all
	$(call pin,'.[all$(comma)dev]',requirements.lock,everything)
	$(call pin,-c requirements.lock .,requirements-runtime.lock,what the package needs to run)

comma := ,
define pin
	rm -rf build/lock && "$(PYTHON)" -m venv build/lock
	build/lock/bin/python -m pip install -q --upgrade pip
	build/lock/bin/python -m pip install -q $(1)
	(echo '# Exact versions of $(3), made by: make lock'; \
	 build/lock/bin/python -m pip list --format=freeze --exclude fashify \
	   --exclude pip --exclude setuptools | LC_ALL=C sort -f) > $(2)
endef

news: $(READY)  ## move the entries of changelog.d/ into CHANGELOG.md under VERSION
	$(BIN)/towncrier build --yes --version $(VERSION)

clean:  ## remove the environment, built stores, reports and caches
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .mypy_cache .import_linter_cache *.egg-info
	find data reports -mindepth 1 ! -name README.md -delete
