# One command per task; `make` lists them. Each makes sure first that what it needs is installed.
.DEFAULT_GOAL := help
.PHONY: help setup build demo demo-billing test unit e2e fault-tools faults torture mutants reference bench bench-large lint format clean
MAKEFLAGS += --no-print-directory

VENV := .venv/bin
# Processes of pytest; each starts a PostgreSQL of its own.
E2E_JOBS ?= 2
# Rounds of faults wait for servers half of their time.
FAULTS_JOBS ?= 3
# Tests make and drop hundreds of small databases and lakes: in memory, where there is room.
TESTS_TMP := $(shell [ "$$(df --output=avail -BG /dev/shm 2>/dev/null | tail -1 | tr -dc 0-9)" -ge 4 ] 2>/dev/null && \
               echo /dev/shm || echo $${TMPDIR:-/tmp})
# Of `make torture`.
SEED ?= $(shell date +%s)
MINUTES ?= 10
CXX_FILES = $(shell find src tests -name '*.cc' -o -name '*.h' -o -name '*.c')

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## install what is missing (Debian packages, DuckDB, Python test tools)
	@tools/bootstrap
	@mkdir -p build

build: setup  ## release binary at build/leat
	@cmake --preset release >build/configure-release.log || { cat build/configure-release.log; exit 1; }
	@cmake --build --preset release
	@ln -sfn release/src/cli/leat build/leat

demo: build  ## a generated shop from PostgreSQL to a warehouse, twice, on a throw-away server
	@templates/shop/demo/run_demo

demo-billing: build  ## six months of a generated billing API, read month by month, in euros
	@templates/billing/demo/run_demo

# The steps stand in the order of what is quickest to fail.
test: setup  ## everything CI runs: layers, formats, unit tests with sanitizers, end-to-end tests, faults, mutants
	@echo '== layers'
	@tools/check_layers
	@$(VENV)/python -m pytest -q tests/tools
	@echo '== formats'
	@$(VENV)/python -m pytest -q tests/formats
	@$(MAKE) unit
	@$(MAKE) e2e
	@$(MAKE) faults
	@$(MAKE) mutants

unit: setup  ## unit tests with AddressSanitizer and UndefinedBehaviorSanitizer
	@echo '== unit tests'
	@cmake --preset dev >build/configure-dev.log || { cat build/configure-dev.log; exit 1; }
	@cmake --build --preset dev
	@ctest --preset dev --parallel 2 --stop-on-failure

e2e: build  ## end-to-end tests of build/leat
	@echo '== end-to-end tests'
	@TMPDIR=$(TESTS_TMP) $(VENV)/python -m pytest -q -n $(E2E_JOBS) --dist loadfile --maxfail 5 tests/e2e

fault-tools: build
	@cmake --build --preset release --target leat-faults nth
	@ln -sfn release/tests/faults/leat-faults build/leat-faults
	@ln -sfn release/tests/faults/libnth.so build/libnth.so

faults: fault-tools  ## kills, fail points, I/O errors and broken connections; the rounds of CI
	@echo '== faults'
	@TMPDIR=$(TESTS_TMP) $(VENV)/python -m pytest -q -n $(FAULTS_JOBS) --maxfail 5 tests/faults

torture: fault-tools  ## random faults for MINUTES (10) from SEED; counts go to evidence/ledger.csv
	@TMPDIR=$(TESTS_TMP) $(VENV)/python tests/faults/torture.py --seed $(SEED) --minutes $(MINUTES) --jobs $(E2E_JOBS) --ledger evidence/ledger.csv

mutants: setup  ## mistakes made on purpose, each of which a test must notice; evidence/mutants.md lists them
	@echo '== mutants'
	@tests/mutants/run_mutants

reference: build  ## docs/reference anew, from the declarations of fields, flags and codes
	@build/release/src/cli/leat-reference docs/reference

bench: build  ## speed beside its yardsticks, 5 M rows
	@tests/bench/run_bench

bench-large: build  ## the same with 50 M rows
	@tests/bench/run_bench --large

lint: setup  ## clang-format, clang-tidy, layers
	@clang-format --dry-run -Werror $(CXX_FILES)
	@tools/check_layers
	@cmake --preset dev >build/configure-dev.log || { cat build/configure-dev.log; exit 1; }
	@find src -name '*.cc' -print0 | xargs -0 -n 4 -P 2 clang-tidy -p build/dev --quiet

format: setup  ## rewrite the C++ files as clang-format wants them
	@clang-format -i $(CXX_FILES)

clean:  ## remove what the builds made, keep what setup installed
	@rm -rf build
