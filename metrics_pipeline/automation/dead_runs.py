"""Rows of the jobs log that nobody closes any more: of commands whose process was killed, and of long ago."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

from metrics_pipeline.automation.alerts import Alerts
from metrics_pipeline.control.alerts import forget_alerts
from metrics_pipeline.control.job_runs import PROCESS_TAG, JobRunRecord, close_run, forget_runs, open_runs
from metrics_pipeline.control.metric_audit import forget_audit
from metrics_pipeline.pipeline import Pipeline


def close_dead(pipeline: Pipeline) -> list[JobRunRecord]:
    """Close the rows of commands of this machine whose process has ended, as failures; returns them."""
    alerts, now = Alerts.of(pipeline).of_failures, pipeline.settings.clock.now()
    ended = "its process ended without a word"
    return [
        close_run(pipeline.control, run, ended, alerts, ended_at=datetime.now(UTC), now=now)
        for run in open_runs(pipeline.control)
        if PROCESS_TAG in run.tags and _is_gone(run.tags[PROCESS_TAG])
    ]


def forget_old(pipeline: Pipeline) -> str:
    """Apply METRICS_JOB_RUNS_DAYS and METRICS_METRIC_AUDIT_DAYS; returns a line on it."""
    now = pipeline.settings.clock.now()
    before = now - timedelta(days=pipeline.settings.job_runs_days)
    runs, messages = forget_runs(pipeline.control, before), forget_alerts(pipeline.control, before)
    audit = forget_audit(pipeline.control, now - timedelta(days=pipeline.settings.metric_audit_days))
    return f"jobs log: {runs} runs and {messages} messages of alerts expired; audit of metrics: {audit} rows expired"


def process_name(pid: int) -> str:
    """A process as no other is called: machine, number, and when it began where the system tells that."""
    return f"{socket.gethostname()}:{pid}:{_began(pid)}"


def _is_gone(process: str) -> bool:
    """Whether a process of this machine has ended; of other machines nobody here can tell."""
    machine, pid, began = process.rsplit(":", 2)
    if machine != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it lives, and is somebody else's
    return _began(int(pid)) != began


def _began(pid: int) -> str:
    """When a process began, in the system's ticks: a number that is used again names another process."""
    try:
        # behind the name, which stands in parentheses and may hold anything: the state, and 19 fields on the start
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[-1].split()
    except OSError:
        return "-"
    return "ended" if fields[0] == "Z" else fields[19]
