# Everything the project needs goes into its own folders: .tools, .venv, node_modules, static/vendor, var.
# A machine needs Python 3.11 or newer and make; the rest is fetched.

# One that is named is used as it is; else a faster build of the same version may take its place.
ANY_BUILD := $(if $(filter undefined,$(origin PYTHON)),--any-build)
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.14 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$name"; break; }; done)
BOOTSTRAP = $(or $(PYTHON),$(error Python 3.11 or newer was not found; install it or name it: make PYTHON=/path/to/python3)) -m bin.bootstrap $(ANY_BUILD)
DEV = --group dev
SIZE ?= small
SEED ?= 1

.DEFAULT_GOAL := help
.PHONY: help run setup assets format lint check test-fast test screenshots bench faults pictures clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

run: ## Start the application with a demo clinic (PORT=8000)
	@$(BOOTSTRAP) --assets --translations -- python -m bin.serve

setup: ## Install everything for development, start nothing
	@$(BOOTSTRAP) $(DEV) --assets --translations

assets: ## Bring static/vendor up to date
	@$(BOOTSTRAP) --assets

format: ## Format and repair the code
	@$(BOOTSTRAP) $(DEV) -- python -m bin.verify format

lint: ## Formatting, lint, types, import contracts, migrations, container files
	@$(BOOTSTRAP) $(DEV) -- python -m bin.verify lint

check: ## Lint and the fast tests: before every commit
	@$(BOOTSTRAP) $(DEV) --assets --translations -- python -m bin.verify check

test-fast: ## The tests without a server, a browser or slow parts
	@$(BOOTSTRAP) $(DEV) --assets --translations -- python -m bin.verify fast

test: ## Everything that CI runs, on SQLite and PostgreSQL, with a browser
	@$(BOOTSTRAP) $(DEV) --assets --translations -- python -m bin.verify all

pictures: ## The pictures of the README, in docs/images
	@$(BOOTSTRAP) $(DEV) --assets --translations -- python -m bin.pictures

screenshots: ## Every kind of page as a picture, in var/screenshots
	@$(BOOTSTRAP) $(DEV) --assets --translations -- python -m bin.screenshots $(if $(ONLY),--only $(ONLY))

bench: ## Measure (SIZE=full goes to a million courses)
	@$(BOOTSTRAP) $(DEV) --group bench -- python -m bench --size $(SIZE)

faults: ## Kill, stop and starve everything for half an hour, and write the ledger (SEED=1)
	@$(BOOTSTRAP) $(DEV) -- python -m faults --long --publish --seed $(SEED)

clean: ## Remove what was fetched and made, but not var
	rm -rf .tools .venv node_modules static/vendor staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
