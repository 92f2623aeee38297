"""The jobs log in pages: newest first, each page from where the last one ended, whatever was added since."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Engine, Select, and_, func, or_, select

from metrics_pipeline.control.database import reading
from metrics_pipeline.control.job_runs import JobRunRecord
from metrics_pipeline.control.watch_models import JobRun

# Runs that are about one workspace carry its id: who may see that workspace may see them.
WORKSPACE_TAG = "metrics/workspace"


@dataclass(frozen=True, slots=True)
class Place:
    """Behind this run a page begins. Runs stand by the instant they were asked for at, then by id: a total order."""

    requested_at: datetime
    run_id: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs; None asks for all. workspace_id: those that are about it, and no others."""

    workspace_id: str | None = None
    job: str | None = None
    state: str | None = None
    since: datetime | None = None

    def of(self, query: Select[JobRun]) -> Select[JobRun]:
        """The query, narrowed to them."""
        if self.workspace_id is not None:
            query = query.where(JobRun.tags[WORKSPACE_TAG].as_string() == self.workspace_id)
        if self.job is not None:
            query = query.where(JobRun.job == self.job)
        if self.state is not None:
            query = query.where(JobRun.state == self.state)
        if self.since is not None:
            query = query.where(JobRun.requested_at >= self.since)
        return query


def page_of_runs(engine: Engine, wanted: Wanted, limit: int, after: Place | None = None) -> list[JobRunRecord]:
    """At most `limit` runs behind a place, newest first."""
    query = wanted.of(select(JobRun)).order_by(JobRun.requested_at.desc(), JobRun.run_id)
    if after is not None:
        earlier = JobRun.requested_at < after.requested_at
        query = query.where(or_(earlier, and_(JobRun.requested_at == after.requested_at, JobRun.run_id > after.run_id)))
    with reading(engine) as session:
        return [_record(row) for row in session.scalars(query.limit(limit))]


def find_run(engine: Engine, run_id: str, workspace_id: str | None = None) -> JobRunRecord | None:
    """One run; None where there is none, or it is not about the workspace."""
    with reading(engine) as session:
        row = session.scalars(Wanted(workspace_id).of(select(JobRun)).where(JobRun.run_id == run_id)).first()
        return None if row is None else _record(row)


def last_run_of_each_job(engine: Engine, wanted: Wanted) -> list[JobRunRecord]:
    """The newest run of every job, by job."""
    place = func.row_number().over(partition_by=JobRun.job, order_by=(JobRun.requested_at.desc(), JobRun.run_id))
    ranked = wanted.of(select(JobRun).add_columns(place.label("place"))).subquery()
    query = select(JobRun).join(ranked, JobRun.run_id == ranked.c.run_id).where(ranked.c.place == 1)
    with reading(engine) as session:
        return [_record(row) for row in session.scalars(query.order_by(JobRun.job))]


def _record(row: JobRun) -> JobRunRecord:
    return JobRunRecord(**{f.name: getattr(row, f.name) for f in fields(JobRunRecord)})
