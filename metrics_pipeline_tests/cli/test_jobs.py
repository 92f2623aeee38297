"""`jobs`, and what `status` and `sql` say of the jobs log."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from metrics_pipeline.control.alerts import Telling
from metrics_pipeline.control.job_runs import FailureAlerts, JobRunRecord, record_run
from metrics_pipeline.errors import UserError
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import load_settings
from metrics_pipeline_tests.cli.conftest import Run

NOW = datetime(2026, 3, 18, 10, 30, tzinfo=UTC)
NOBODY = FailureAlerts(Telling((), timedelta(days=1)), 1)
CLOSE = JobRunRecord(
    "run-1",
    "daily_close",
    "daily_close by schedule daily_close",
    "COMPLETED",
    "schedule daily_close",
    NOW,
    first_partition="2026-03-01",
    last_partition="2026-03-18",
    started_at=NOW,
    ended_at=NOW + timedelta(seconds=65),
    seconds=65.0,
    rows=1200,
)
LATER = NOW + timedelta(days=1)
FAILED = replace(
    CLOSE, run_id="run-2", state="FAILED", requested_at=LATER, ended_at=LATER, error="the disk is full", rows=None
)
PARTIAL = replace(
    CLOSE, run_id="run-3", job="collect_x_counters", stream="x", state="PARTIAL", accounts_ok=3, accounts_failed=1
)


def write(*runs: JobRunRecord) -> None:
    control = Pipeline(load_settings()).control
    for run in runs:
        record_run(control, run, NOBODY, now=NOW)


def test_runs_are_listed_newest_first(run: Run) -> None:
    assert "No run is in the jobs log" in run("jobs")
    write(CLOSE, FAILED, PARTIAL)
    lines = run("jobs").splitlines()
    assert "the disk is full" in lines[1]
    assert "daily_close 2026-03-01 to 2026-03-18" in lines[2]
    assert "3 ok, 1 failed" in run("jobs --job collect_x_counters")
    assert [r["run_id"] for r in json.loads(run("jobs --format json --limit 1"))] == ["run-2"]
    (row,) = json.loads(run("jobs --format json --state failed"))
    assert (row["state"], row["error"], row["seconds"]) == ("FAILED", "the disk is full", 65.0)
    with pytest.raises(UserError, match="--state 'bad' is none; there are RUNNING"):
        run("jobs --state bad")


def test_status_names_jobs_whose_last_run_failed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_NOW", (LATER + timedelta(days=8)).isoformat())
    write(CLOSE, FAILED)
    assert "failed at" not in run("status"), "long ago"
    monkeypatch.setenv("METRICS_NOW", (LATER + timedelta(days=1)).isoformat())
    assert "job daily_close 2026-03-01 to 2026-03-18 (schedule daily_close) failed at" in run("status")
    write(replace(CLOSE, run_id="run-4", ended_at=LATER + timedelta(hours=1)))
    assert "failed at" not in run("status")


def test_sql_reads_the_jobs_log(run: Run) -> None:
    write(CLOSE, FAILED)
    query = "sql --format json"
    rows = json.loads(run(query, stdin="select run_id, state, rows, ended_at from job_runs order by run_id"))
    assert rows[0] == {"run_id": "run-1", "state": "COMPLETED", "rows": 1200, "ended_at": "2026-03-18T10:31:05Z"}
    joined = "select count(*) as n from job_runs a inner join job_runs b using (job)"
    assert json.loads(run(query, stdin=joined)) == [{"n": 4}]
