"""The jobs log: one row per run, written as often as anybody likes, and what a run's end means for its alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Engine, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from metrics_pipeline.control.alerts import Telling, note_firing, note_resolved
from metrics_pipeline.control.database import reading, writing
from metrics_pipeline.control.watch_models import JobRun

JobState = Literal["RUNNING", "COMPLETED", "PARTIAL", "FAILED", "CANCELED"]
JOB_STATES: tuple[JobState, ...] = ("RUNNING", "COMPLETED", "PARTIAL", "FAILED", "CANCELED")
# Runs of chosen assets, from the command line or the UI: Dagster's own name for their job says nothing.
MATERIALIZE = "materialize"
PROCESS_TAG = "metrics/process"


@dataclass(frozen=True, slots=True)
class JobRunRecord:
    """One run, see JobRun."""

    run_id: str
    job: str
    stream: str
    state: JobState
    requested_by: str
    requested_at: datetime
    assets: Sequence[str] = ()
    first_partition: str | None = None
    last_partition: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    seconds: float | None = None
    rows: int | None = None
    accounts_ok: int | None = None
    accounts_failed: int | None = None
    accounts_skipped: int | None = None
    error: str | None = None
    counts: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The job with its partitions: `daily_close 2026-11-03 to 2026-11-20`."""
        names = {a if a.startswith("platforms/") else a.split("/")[0] for a in self.assets}
        what = ", ".join(sorted(names)) if names and self.job == MATERIALIZE else self.job
        if self.first_partition is None:
            return what
        last = f" to {self.last_partition}" if self.last_partition != self.first_partition else ""
        return f"{what} {self.first_partition}{last}"


@dataclass(frozen=True, slots=True)
class FailureAlerts:
    """After how many failures in a row somebody is told, and who."""

    telling: Telling
    after: int


def record_run(engine: Engine, run: JobRunRecord, alerts: FailureAlerts, *, now: datetime) -> bool:
    """Write a run's row as it is now; True if this changed its state.

    An ended run stays ended. In the transaction that notes an end, the alert of the run's stream fires or is resolved.
    """
    try:
        return _record(engine, run, alerts, now)
    except IntegrityError:  # another process wrote the row, or the alert, at the same moment
        return _record(engine, run, alerts, now)


def _record(engine: Engine, run: JobRunRecord, alerts: FailureAlerts, now: datetime) -> bool:
    with writing(engine) as session:
        row = session.get(JobRun, run.run_id, with_for_update=True)
        before = row.state if row is not None else None
        if row is not None and run.ended_at is None and row.ended_at is not None:
            return False
        values = {f.name: getattr(run, f.name) for f in fields(run)}
        values |= {"assets": list(run.assets), "tags": dict(run.tags)}
        if row is None:
            session.add(JobRun(**values))
        else:
            # who runs a command in its own process is known from the start only
            values["tags"] = {**row.tags, **run.tags}
            for name, value in values.items():
                setattr(row, name, value)
        session.flush()
        if before == run.state:
            return False
        if run.ended_at is not None and run.counts:
            _follow_stream(session, run, alerts, now)
        return True


def _follow_stream(session: Session, run: JobRunRecord, alerts: FailureAlerts, now: datetime) -> None:
    ended = select(JobRun.state).where(
        JobRun.stream == run.stream, JobRun.counts, JobRun.state != "CANCELED", JobRun.run_id != run.run_id
    )
    if session.scalars(ended.where(JobRun.ended_at > run.ended_at).limit(1)).first() is not None:
        return  # told late: a later run of the stream has said how things are
    failures = 0
    for state in session.scalars(ended.where(JobRun.ended_at <= run.ended_at).order_by(JobRun.ended_at.desc())):
        if state != "FAILED":
            break
        failures += 1
    key = f"run:{run.stream}"
    if run.state == "FAILED":
        failures += 1
        if failures >= alerts.after:
            row_of = f", {failures} times in a row" if failures > 1 else ""
            text = f"Run {run.run_id} failed: {run.title}{row_of}: {run.error or 'no reason was given'}"
            note_firing(session, alerts.telling, key, text, "error", now=now)
    elif run.state in ("COMPLETED", "PARTIAL"):
        times = "after a failure" if failures == 1 else f"after {failures} failures"
        note_resolved(session, alerts.telling, key, f"Recovered: {run.title} works again {times}.", now=now)


def open_runs(engine: Engine) -> list[JobRunRecord]:
    """The runs whose end is not known, oldest first."""
    with reading(engine) as session:
        rows = session.scalars(select(JobRun).where(JobRun.state == "RUNNING").order_by(JobRun.requested_at))
        return [_of_row(row) for row in rows]


def close_run(
    engine: Engine, run: JobRunRecord, error: str, alerts: FailureAlerts, *, ended_at: datetime, now: datetime
) -> JobRunRecord:
    """Note that a run died, noticed at `ended_at`: when exactly nobody knows, so it has no duration."""
    dead = replace(run, state="FAILED", ended_at=ended_at, error=error)
    record_run(engine, dead, alerts, now=now)
    return dead


def list_runs(
    engine: Engine, *, job: str | None = None, state: str | None = None, limit: int | None = None
) -> list[JobRunRecord]:
    """Runs, newest first."""
    query = select(JobRun).order_by(JobRun.requested_at.desc(), JobRun.run_id)
    if job is not None:
        query = query.where(JobRun.job == job)
    if state is not None:
        query = query.where(JobRun.state == state)
    with reading(engine) as session:
        return [_of_row(row) for row in session.scalars(query.limit(limit))]


def failing_runs(engine: Engine, since: datetime) -> list[JobRunRecord]:
    """The last run of every stream that failed since an instant and did not succeed after it, newest first.

    A run that was canceled tells nothing, one that Dagster tries again not yet.
    """
    latest: dict[str, JobRunRecord] = {}
    query = (
        select(JobRun)
        .where(JobRun.counts, JobRun.state.in_(("COMPLETED", "PARTIAL", "FAILED")))
        .order_by(JobRun.ended_at.desc())
    )
    with reading(engine) as session:
        failed = select(JobRun.stream).where(JobRun.state == "FAILED", JobRun.counts, JobRun.ended_at >= since)
        streams = set(session.scalars(failed.distinct()))
        for stream in streams:
            row = session.scalars(query.where(JobRun.stream == stream).limit(1)).first()
            if row is not None and row.state == "FAILED":
                latest[stream] = _of_row(row)
    return sorted(latest.values(), key=lambda run: run.requested_at, reverse=True)


def forget_runs(engine: Engine, before: datetime) -> int:
    """Delete runs that were asked for before an instant; returns how many."""
    with writing(engine) as session:
        done = session.execute(delete(JobRun).where(JobRun.requested_at < before, JobRun.state != "RUNNING"))
        return int(done.rowcount)  # type: ignore[attr-defined]


def _of_row(row: JobRun) -> JobRunRecord:
    return JobRunRecord(**{f.name: getattr(row, f.name) for f in fields(JobRunRecord)})
