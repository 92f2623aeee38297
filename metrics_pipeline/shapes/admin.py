"""Answers of the requests about the pipeline itself."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from metrics_pipeline.shapes.runs import Partitions
from metrics_pipeline.shapes.words import Shape


class JobRow(Shape):
    """One row of the jobs log; figures are null where nothing told them."""

    run_id: str
    job: str
    state: Literal["RUNNING", "COMPLETED", "PARTIAL", "FAILED", "CANCELED"] = Field(
        description="PARTIAL: some accounts failed, the others were stored."
    )
    requested_by: str = Field(description="A schedule, a sensor, the command line, the UI, or the id of an API key.")
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float | None
    assets: list[str]
    partitions: Partitions | None
    rows: int | None = Field(description="Rows written.")
    accounts_ok: int | None
    accounts_failed: int | None
    accounts_skipped: int | None
    error: str | None = Field(description="The first error, in one line.")


class JobsMeta(Shape):
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null at the end.")
    has_more: bool


class JobsAnswer(Shape):
    data: list[JobRow] = Field(description="Newest first.")
    meta: JobsMeta


class RunState(Shape):
    run_id: str
    job: str
    status: str | None = Field(
        description="Dagster's: QUEUED, STARTING, STARTED, SUCCESS, FAILURE, CANCELING, CANCELED; "
        "null where it no longer knows the run and the jobs log does."
    )
    partitions: Partitions | None
    workspace_id: str | None = Field(description="The workspace that the run is about; null for one about all.")
    requested_by: str
    requested_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    log: JobRow | None = Field(description="Its row of the jobs log, which is written within half a minute.")


class RunAnswer(Shape):
    data: RunState
    meta: dict[str, str]


class Tick(Shape):
    status: str = Field(description="STARTED, SUCCESS (it asked for a run), SKIPPED (nothing to do) or FAILURE.")
    at: datetime


class ScheduleState(Shape):
    name: str
    description: str | None
    state: str = Field(description="RUNNING or STOPPED.")
    job: str
    cron: str
    timezone: str
    last_tick: Tick | None
    next_runs: list[datetime] = Field(description="Empty while it is stopped.")


class SensorState(Shape):
    name: str
    description: str | None
    state: str = Field(description="RUNNING or STOPPED.")
    jobs: list[str] = Field(description="What it may ask for.")
    every_seconds: int
    last_tick: Tick | None
    next_run: datetime | None = Field(description="Null while it is stopped, or has not looked for the first time.")


class DaemonState(Shape):
    name: str = Field(description="SCHEDULER, SENSOR, QUEUED_RUN_COORDINATOR, MONITORING, ...")
    required: bool
    healthy: bool | None
    last_heartbeat_at: datetime | None


class Scheduler(Shape):
    healthy: bool = Field(description="Whether every daemon that is needed works: else runs wait in the queue.")
    schedules: list[ScheduleState]
    sensors: list[SensorState]
    daemons: list[DaemonState]


class SchedulerAnswer(Shape):
    data: Scheduler
    meta: dict[str, str]


class CoverageRow(Shape):
    date: date
    platform: str
    collection: Literal["counters", "insights"]
    accounts_asked: int
    accounts_with_value: int = Field(description="Accounts with a value, or a zero that was read, for any metric.")
    coverage: float = Field(description="The latter of the former, 0 to 1.")
    metrics_failed: int = Field(description="Metrics of accounts whose last attempt failed.")
    metrics_not_permitted: int
    last_read_at: datetime | None


class CoverageMeta(Shape):
    start: date
    end: date = Field(description="Not included.")
    workspace_id: str | None = Field(description="Null where it is about all workspaces.")


class CoverageAnswer(Shape):
    data: list[CoverageRow] = Field(description="Newest day first; a day without a row was not asked for.")
    meta: CoverageMeta


class AccountCount(Shape):
    platform: str
    status: str = Field(description="active, needs_reauth or disabled.")
    accounts: int


class InboxState(Shape):
    waiting: int = Field(description="Events and attributes that are stored and not in the lake yet.")
    oldest_received_at: datetime | None


class EventsToday(Shape):
    date: date
    accepted: int = Field(description="Events of the UTC day that are in the lake.")
    rejected: int


class Freshness(Shape):
    platform: str
    collection: str
    last_read_at: datetime | None = Field(description="Last attempt of the last seven days.")


class TableState(Shape):
    table: str
    version: int
    changed_at: datetime | None = Field(description="When it was last committed to, maintenance included.")


class LiveState(Shape):
    """Live updates of the process that answers, since it began."""

    connections: dict[str, int] = Field(description="Open now, by kind: sse, websocket.")
    channels: int = Field(description="Channels that somebody listens to.")
    workspaces: int = Field(description="Workspaces that somebody listens to.")
    sent: int = Field(description="Messages handed to connections.")
    conflated: int = Field(description="Messages that a newer one took the place of, because a client was slow.")
    resumed: int = Field(description="Connections that went on where they had broken off.")
    resets: int = Field(description="Connections that were told to ask anew.")
    refused: int = Field(description="Connections beyond a limit.")
    shared: bool = Field(description="Whether messages come by way of Redis.")


class Stats(Shape):
    """What the pipeline holds and how fresh it is. Whole-pipeline parts are null for a workspace's key."""

    accounts: list[AccountCount]
    events_today: EventsToday
    freshness: list[Freshness]
    last_runs: list[JobRow] = Field(description="The newest run of each job, of those that the key may see.")
    inbox: InboxState | None
    tables: list[TableState] | None
    live: LiveState | None = Field(description="Null for a workspace's key.")
    cache_hit_rate: float | None = Field(
        description="Kept answers of all reads of this process, 0 to 1; null where there were none. See /admin/cache."
    )


class StatsAnswer(Shape):
    data: Stats
    meta: dict[str, str]
