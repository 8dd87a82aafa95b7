# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

# All that these targets write stays in .venv and .cache; `make clean` takes both away.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

VENV := .venv
CHECK := $(VENV)/bin/python -m tools.check
# Python compiles what it imports, and of what is installed that is the smaller part.
INSTALL := PIP_CACHE_DIR=$(CURDIR)/.cache/pip $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
	--no-compile

.PHONY: help
help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

$(VENV)/.demo-installed: requirements/demo.txt
	@if ! $(VENV)/bin/python -m pip --version >/dev/null 2>&1; then \
		python="$${PYTHON:-$$(bash tools/find-python)}"; \
		echo "Making $(VENV) with $$("$$python" --version)"; \
		"$$python" -m venv --clear $(VENV); \
	fi
	@echo "Installing ansible-core and what the simulator needs into $(VENV)"
	@$(INSTALL) --requirement $<
	@touch $@

$(VENV)/.dev-installed: requirements/dev.txt $(VENV)/.demo-installed
	@echo "Installing the checks' tools into $(VENV)"
	@$(INSTALL) --requirement $<
	@touch $@

.PHONY: demo
demo: $(VENV)/.demo-installed ## Try the collection: play a few jobs against the simulator, nothing else needed
	@bash demo/run

.PHONY: venv
venv: $(VENV)/.dev-installed ## Make .venv with everything that development needs

.PHONY: test
test: $(VENV)/.dev-installed ## Prove the product in a few minutes, as each push does; ends with the count
	@$(CHECK)

.PHONY: test-all
test-all: $(VENV)/.dev-installed ## Run every check there is, those of `make test` first; WHOLE_MATRIX_OF=PYTHON for more
	@$(CHECK) --all

.PHONY: unit
unit: $(VENV)/.dev-installed ## Run the unit tests
	@$(CHECK) unit

.PHONY: ansible-test-units
ansible-test-units: $(VENV)/.dev-installed ## Run some of them by ansible-test units
	@$(CHECK) ansible-test-units

.PHONY: pythons
pythons: $(VENV)/.dev-installed ## Run the unit tests on each other supported Python, with an ansible-core of its time
	@$(CHECK) pythons

.PHONY: lint
lint: $(VENV)/.dev-installed ## Run ruff, ansible-lint and the licence check
	@$(CHECK) ruff ruff-format ansible-lint reuse

.PHONY: types
types: $(VENV)/.dev-installed ## Check the types
	@$(CHECK) types

.PHONY: changelog
changelog: $(VENV)/.dev-installed ## Write CHANGELOG.rst from the fragments, as the release that galaxy.yml names
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(VENV)/bin/python -m tools.changelog

.PHONY: docs-lint
docs-lint: $(VENV)/.dev-installed ## Check the documentation and the changelog
	@$(CHECK) docs changelog

.PHONY: examples
examples: $(VENV)/.dev-installed ## Run each example of the documentation
	@$(CHECK) examples

.PHONY: docs
docs: $(VENV)/.dev-installed ## Build the documentation's site, which ends up in .cache/site
	@$(CHECK) docs site

.PHONY: contract
contract: $(VENV)/.dev-installed ## Test what holds the traffic to the published description
	@$(CHECK) contract

.PHONY: peers
peers: $(VENV)/.dev-installed ## Test against vcsim, govc (these two need Go) and the official Python bindings
	@$(CHECK) peers whole-peers

.PHONY: progress
progress: $(VENV)/.dev-installed ## See tasks move while they run, in terminals, pipes and AWX's own path
	@$(CHECK) progress whole-progress

.PHONY: faults
faults: $(VENV)/.dev-installed ## Break what can break, and see that each task works or puts everything back
	@$(CHECK) faults whole-faults

.PHONY: reliability
reliability: $(VENV)/.dev-installed ## Run the fault matrix, and write what came of it into docs/reliability.md
	@$(VENV)/bin/python -m tests.faults.matrix_page

.PHONY: molecule
molecule: $(VENV)/.dev-installed ## Play the molecule scenarios: each a job a user would run, on simulators and vcsim
	@$(CHECK) molecule

.PHONY: mutations
mutations: $(VENV)/.dev-installed ## Make over two hundred mistakes in a copy, and show who sees each (takes minutes)
	@$(VENV)/bin/python -m tests.mutations

# Each of requirements/*.in becomes a file of exact versions and hashes, good for all systems and for each Python that it
# is for: from 3.11 on what .venv and AWX hold, from 3.9.2 on what the oldest supported one does.
LOCK := $(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --custom-compile-command 'make lock'
LOCK_DEV := $(LOCK) --python-version 3.11 requirements/dev.in --output-file requirements/dev.txt

.PHONY: lock
lock: $(VENV)/.dev-installed ## Renew the lock files: the newest versions that requirements/*.in allow, with their hashes
	@$(LOCK_DEV) --upgrade
	@$(LOCK) --upgrade --python-version 3.11 requirements/demo.in --output-file requirements/demo.txt \
		--constraint requirements/dev.txt
	@$(LOCK) --upgrade --python-version 3.11 requirements/awx.in --output-file requirements/awx.txt
	@for name in sanity sanity-oldest smallest supported; do \
		$(LOCK) --upgrade --python-version 3.9.2 requirements/$$name.in --output-file requirements/$$name.txt; \
	done

.PHONY: oracle-update
oracle-update: $(VENV)/.dev-installed ## Take the newest official bindings, and compare with them
	@$(LOCK_DEV) --upgrade-package vmware-vcenter
	@$(MAKE) venv
	@$(CHECK) peers whole-peers

.PHONY: sanity
sanity: $(VENV)/.dev-installed ## Run ansible-test sanity, of the newest and the oldest ansible-core, on a staged copy
	@$(CHECK) sanity sanity-oldest

.PHONY: package
package: $(VENV)/.dev-installed ## Build and check the tarball, which ends up in .cache/dist
	@$(CHECK) package

.PHONY: tagged
tagged: $(VENV)/.dev-installed ## See that TAG is the version in galaxy.yml
	@$(VENV)/bin/python -m tools.release --tag "$$TAG"

.PHONY: sign
sign: $(VENV)/.dev-installed ## Sign the tarball in .cache/dist with gpg (KEY=... chooses the key); the rest goes beside it
	@$(VENV)/bin/python -m tools.release --key "$(KEY)"

.PHONY: publish
publish: $(VENV)/.demo-installed ## Publish the tarball in .cache/dist to Galaxy, with the token in GALAXY_TOKEN
	@$(VENV)/bin/ansible-galaxy collection publish --token "$${GALAXY_TOKEN:?}" .cache/dist/*.tar.gz

.PHONY: bench
bench: $(VENV)/.dev-installed ## Measure the collection against curl, govc and others (docs/benchmarks.md); needs Go and curl
	@$(VENV)/bin/python -m tools.bench

.PHONY: scale
scale: $(VENV)/.dev-installed ## Measure a play over a hundred hosts, the nightly job, and tasks over 1,000 items, against the simulator (docs/docsite/rst/guide_scale.rst)
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(VENV)/bin/python -m tools.scale

.PHONY: learn
learn: $(VENV)/.dev-installed ## See what a report of a vCenter teaches, and run the main jobs under it; REPORT=FILE
	@$(VENV)/bin/python -m tools.learn "$(or $(REPORT),$(error say which report: make learn REPORT=FILE))"

.PHONY: fuzz
fuzz: $(VENV)/.dev-installed ## Let 100,000 answers and 20,000 sets of options go wrong (docs/reliability.md); SEED=N
	@$(VENV)/bin/python -m tests.fuzz $(if $(SEED),--seed $(SEED))

.PHONY: soak
soak: $(VENV)/.dev-installed ## Work for ten minutes while things go wrong at random (docs/reliability.md); MINUTES=N
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(VENV)/bin/python -m tools.soak --minutes $(or $(MINUTES),10)

.PHONY: format
format: $(VENV)/.dev-installed ## Format the Python code and fix what ruff can fix
	@$(VENV)/bin/ruff check --fix-only --quiet .
	@$(VENV)/bin/ruff format .

.PHONY: clean
clean: ## Remove .venv and .cache
	@rm -rf $(VENV) .cache
