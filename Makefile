# Everything a newcomer needs: `make demo` and `make test`. Both set themselves up.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.12 python3.11 python3; do \
  if $$p -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 12)))' >/dev/null 2>&1; then echo $$p; break; fi; done)
BIN := .venv/bin
STAMP := .venv/.synced

.PHONY: help setup demo dev test check prove bench bench-accounts bench-events bench-ingestion bench-event-day bench-freshness bench-live bench-workspaces bench-api bench-realtime lock clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## make .venv with the locked packages and this project in it

$(STAMP): requirements-dev.lock pyproject.toml
	@if [ -z "$(PYTHON)" ]; then echo "metrics-pipeline needs Python 3.11 or 3.12 on the PATH (or: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS))" >&2; exit 2; fi
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 12) else "metrics-pipeline needs Python 3.11 or 3.12, not " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install -q --disable-pip-version-check uv
	$(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes requirements-dev.lock
	$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

demo: $(STAMP) ## five weeks of sample data, collected over HTTP and rolled up by Dagster
	$(BIN)/metrics-pipeline demo

dev: $(STAMP) ## Dagster UI, daemon and HTTP API with the sandbox beside them
	$(BIN)/metrics-pipeline dev

test: $(STAMP) ## every test, nothing skipped
	$(BIN)/python -m pytest -n 2

prove: $(STAMP) ## the proofs at full size, with their figures
	PROVE=1 $(BIN)/python -m pytest metrics_pipeline_tests/proofs metrics_pipeline_tests/collection/test_budgets.py \
	  metrics_pipeline_tests/events/test_killed.py metrics_pipeline_tests/events/test_killed_aggregation.py \
	  metrics_pipeline_tests/client/test_buffer.py metrics_pipeline_tests/api/whole metrics_pipeline_tests/realtime \
	  metrics_pipeline_tests/custom_metrics -s

check: $(STAMP) ## lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --strict docs/generate_tables.py

bench: $(STAMP) ## the figures that the documentation quotes
	$(BIN)/python -m benchmarks.collection

bench-accounts: $(STAMP) ## a thousand accounts on nine platforms (about ten minutes)
	$(BIN)/python -m benchmarks.thousand_accounts

bench-event-day: $(STAMP) ## ten million content events in a day, and one late event in a year (about five minutes)
	$(BIN)/python -m benchmarks.event_day

bench-events: $(STAMP) ## accepted events per second over HTTP
	$(BIN)/python -m benchmarks.events

bench-ingestion: $(STAMP) ## events a second, taken in and drained, without HTTP
	$(BIN)/python -m benchmarks.ingestion

bench-freshness: $(STAMP) ## from an event to its numbers and to its erasure, with the daemon running (about five minutes)
	$(BIN)/python -m benchmarks.freshness

bench-live: $(STAMP) ## 500 live connections, an update every second, nothing lost (about a minute and a half)
	$(BIN)/python -m benchmarks.live

bench-workspaces: $(STAMP) ## a thousand workspaces: the daily close, snapshots, and a year's weeks and months (about a minute)
	$(BIN)/python -m benchmarks.thousand_workspaces

bench-api: $(STAMP) ## dashboards over HTTP, kept and computed, over a thousand workspaces (about five minutes; needs wrk)
	$(BIN)/python -m benchmarks.read_api

bench-realtime: $(STAMP) ## real-time updates and reads a second, in process and with Redis (about half a minute)
	$(BIN)/python -m benchmarks.realtime

bench-custom-metrics: $(STAMP) ## metrics of one's own over 1, 5 and 10 million events of a month (about three minutes)
	$(BIN)/python -m benchmarks.custom_metrics

lock: ## write both lock files anew
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --extra dev pyproject.toml -o requirements-dev.lock

clean: ## remove the virtual environment and the demo's data
	rm -rf .venv demo-data
