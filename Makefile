# `make help` lists what can be made. Everything runs in .venv, which scripts/setup makes and keeps up to date.
.POSIX:
.DEFAULT_GOAL := help
.PHONY: help demo test check setup lock sbom audit clean

# Paths and marks for pytest: make test TESTS="tests/storage -k tally"
TESTS =
# Processes that share the tests, a file at a time: make test WORKERS=2
WORKERS ?= 0
# make lock UPGRADE=--upgrade takes the newest versions that pyproject.toml admits; otherwise pins stay where they can.
UPGRADE =
LOCK = .voirie/uv/bin/uv pip compile --quiet --universal --python-version 3.12 --generate-hashes \
	--no-emit-index-url --no-config --custom-compile-command "make lock" $(UPGRADE)

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

demo: ## set up, then run the whole product on a simulated commune (Ctrl-C stops it)
	@scripts/setup
	@.venv/bin/voirie demo

test: ## set up for development, then run every test that this machine can run
	@scripts/setup --dev
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} .venv/bin/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder $(TESTS)

check: ## lint, format, types, and the arrows between the rooms
	@scripts/setup --dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

setup: ## make .venv for development
	@scripts/setup --dev

lock: ## write the hashed requirement files again, from pyproject.toml and requirements/*.in
	@scripts/setup --dev
	@.venv/bin/python -m venv .voirie/uv
	@.voirie/uv/bin/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	$(LOCK) pyproject.toml -o requirements/run.txt
	$(LOCK) pyproject.toml --extra tracing -c requirements/run.txt -o requirements/tracing.txt
	$(LOCK) pyproject.toml --extra dev -c requirements/run.txt -o requirements/dev.txt
	$(LOCK) requirements/build.in -o requirements/build.txt
	$(LOCK) requirements/uv.in -o requirements/uv.txt
	$(LOCK) --no-deps requirements/streets.in -o requirements/streets.txt

sbom: ## write sbom.json, the bill of materials (CycloneDX) of what an installation runs on
	@scripts/setup --dev
	.venv/bin/python scripts/supply_chain sbom > sbom.json

audit: ## hold every locked package to the admitted licences, and ask what is known against it where a network allows
	@scripts/setup --dev
	.venv/bin/python scripts/supply_chain licences
	.venv/bin/python scripts/supply_chain vulnerabilities

clean: ## forget the demo's data, the environment and every cache
	rm -rf .venv .voirie .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
