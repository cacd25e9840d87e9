# Everything starts here; `make help` explains each target. Needs Python 3.11 or newer, make and the package registry.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# An empty word lets Python keep what it has compiled: else each of the many processes of `make test` does it anew.
export PYTHONDONTWRITEBYTECODE :=
.PHONY: help install demo test test-slow attack-test skew privacy privacy-gan protocols gpu-test deploy-test container-test docs lint format lock clean

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

help:  ## explain every target
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

install: $(INSTALLED)  ## make .venv: the locked dependencies, checked by hash, and this project, editable

demo: $(INSTALLED)  ## the whole story on the built-in corpus, through Flower and Ray; results under runs/demo
	@$(BIN)/eyesoff demo

# A process of tests for each core, four at most, with one thread each: more threads than cores would wait for each other.
# Files are taken in their own order, which ends with hundreds of small ones: else the longest, of few tests, would be last.
# Sets keep one order and laws are tried with the same examples, so that whoever runs it sees what everybody sees.
test: $(INSTALLED)  ## every test but the slow ones
	PYTHONHASHSEED=0 OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test-slow: $(INSTALLED)  ## the tests that take minutes or gigabytes, and every law on a thousand random examples
	$(BIN)/pytest -m "slow or hypothesis" --hypothesis-profile random

EMODB ?= ../shared/data/EMO-DB

attack-test: $(INSTALLED)  ## every attack on a site or a campaign, with its rule off and on; the table goes to tests/attacks/README.md
	EYESOFF_EMODB=$(abspath $(wildcard $(EMODB))) EYESOFF_ATTACKS_TABLE=results/attacks.json OMP_NUM_THREADS=1 \
		$(BIN)/pytest -m "slow or not slow" --quiet tests/attacks
	@$(BIN)/python -m tests.attacks.table results/attacks.json

skew: $(INSTALLED)  ## what sites that lack emotions cost on EMO-DB, ten minutes; the table goes to docs/results.md
	for scale in training session; do for skew in none 1.0 0.3; do \
		OMP_NUM_THREADS=1 $(BIN)/eyesoff compare --preset best --corpus emodb --root $(EMODB) --seeds 1 \
			--modes "real,gaussian,gaussian federated" --set vectors.normalisation=$$scale \
			$$([ $$skew = none ] || echo --skew $$skew) --run runs/skew/$$scale-$$skew --units runs/skew/units; \
		install -D -m 644 runs/skew/$$scale-$$skew/results.json results/skew/$$scale-$$skew/results.json; \
	done; done
	@$(BIN)/python -m simulations.report.skew results/skew docs/results.md

RAVDESS ?= ../shared/data/RAVDESS

privacy: $(INSTALLED)  ## score against attack, epsilon and bytes on EMO-DB and RAVDESS, a quarter of an hour; table and figure go to docs
	for corpus in emodb:$(EMODB) ravdess:$(RAVDESS); do name=$${corpus%%:*}; \
		OMP_NUM_THREADS=1 $(BIN)/eyesoff compare --preset privacy --corpus $$name --root $${corpus#*:} --seeds 3 \
			--run runs/privacy/$$name --units runs/privacy/units/$$name; \
		install -D -m 644 runs/privacy/$$name/results.json results/privacy/$$name/results.json; \
	done
	@$(BIN)/python -m simulations.report.privacy results/privacy docs/results.md README.md docs/_static/privacy.png

# Beside them, each hours more: rank 8,rank 4,rank 2.
GAN_MODES ?= real,federated

privacy-gan: $(INSTALLED)  ## the same of the paper's GAN: twins of each site, hours; given again, it goes on
	audit() { OMP_NUM_THREADS=1 $(BIN)/eyesoff compare --preset emodb --corpus $$2 --root $$3 --seeds 1 --modes "$$4" \
			--set compare.audited=true --set compare.quality=false \
			--run runs/privacy/$$1 --units runs/privacy/units/$$2-gan \
		&& install -D -m 644 runs/privacy/$$1/results.json results/privacy/$$1/results.json; }; \
	audit emodb-gan emodb $(EMODB) '$(GAN_MODES)' && audit emodb-gan-together emodb $(EMODB) centralized \
		&& audit ravdess-gan ravdess $(RAVDESS) '$(GAN_MODES)'
	@$(BIN)/python -m simulations.report.privacy results/privacy docs/results.md README.md docs/_static/privacy.png

protocols: $(INSTALLED)  ## one emotion made rare, less speech, samples beside it, the other corpus: an hour; tables go to docs/results.md
	run() { OMP_NUM_THREADS=1 $(BIN)/eyesoff compare --preset best --seeds 1 --set compare.quality=false \
			--run runs/protocols/$$1 --units runs/protocols/units --protocol $$2 --modes "$$3" "$${@:4}" \
		&& install -D -m 644 runs/protocols/$$1/results.json results/$$1/results.json \
		&& $(BIN)/eyesoff report runs/protocols/$$1 --readme docs/results.md; }; \
	both='real,gaussian,gaussian federated'; \
	run cross-corpus cross-corpus "$$both" --seeds 3 --corpus joint --root $(dir $(EMODB)) \
		--option emodb=$(notdir $(EMODB)) --option ravdess=$(notdir $(RAVDESS)) \
	&& for corpus in emodb:$(EMODB) ravdess:$(RAVDESS); do name=$${corpus%%:*}; \
		run imbalance-$$name imbalance "$$both,copying,smote,undersampling" --corpus $$name --root $${corpus#*:} \
		&& run curve-$$name augmentation-curve "$$both,smote" --corpus $$name --root $${corpus#*:} \
		&& run low-$$name low-resource "$$both" --corpus $$name --root $${corpus#*:} || exit; \
	done

gpu-test: $(INSTALLED)  ## that a CUDA device computes what a processor does; needs one
	$(BIN)/pytest -m gpu

deploy-test: $(INSTALLED)  ## a deployment on loopback: parity over TLS, intruders, losses, twenty sites; a verdict for each
	$(BIN)/pytest -m slow --quiet tests/simulations/deployment

container-test: $(INSTALLED)  ## build every image and run the whole topology once with podman; as root on Debian, it names what it lacks
	$(BIN)/pytest -m containers --quiet tests/containers

docs: $(INSTALLED)  ## the documentation as a site, in docs/site; warnings are errors
	@$(BIN)/sphinx-build --quiet --fail-on-warning --nitpicky --builder dirhtml docs docs/site
	@echo "open docs/site/index.html"

lint: $(INSTALLED)  ## ruff, mypy and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED)  ## let ruff mend layout and what it safely can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"

lock: $(INSTALLED)  ## bring the locks in line with pyproject.toml; delete requirements.lock first to take newer versions
	$(COMPILE) --extra federation --extra development --extra documentation pyproject.toml --output-file requirements.lock
	$(COMPILE) --constraint requirements.lock pyproject.toml --output-file containers/keeper.lock
	$(COMPILE) --constraint requirements.lock containers/flower.in --output-file containers/relay.lock
	$(COMPILE) --constraint requirements.lock pyproject.toml containers/flower.in --output-file containers/server.lock
	$(COMPILE) --constraint requirements.lock containers/tools.in --output-file containers/tools.lock

clean:  ## remove .venv, caches and runs/; features in the cache stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache runs
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv installs what pip would in a quarter of the time; its own line in the lock says which one, and pip checks that hash.
$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("error: Python %d.%d is too old; name a newer one: make PYTHON=python3.12 ..." % sys.version_info[:2])'
	@if [ ! -x $(BIN)/uv ]; then \
		$(PYTHON) -m venv .venv; \
		sed -n '/^uv==/,/^    # via/p' requirements.lock > .venv/uv.txt; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.txt; \
	fi
	$(BIN)/uv pip sync --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
