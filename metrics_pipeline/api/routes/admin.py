"""`/v1/admin`: what runs, what ran, what will run next, and what came of it."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from metrics_pipeline.api.admin_answers import ADMIN_ERRORS, job_row
from metrics_pipeline.api.admin_reader import AdminReader
from metrics_pipeline.api.auth import Caller
from metrics_pipeline.api.body_shapes import NO_NUL
from metrics_pipeline.api.callers import Admin
from metrics_pipeline.api.ids import OwnId
from metrics_pipeline.api.job_cursor import read_cursor, write_cursor
from metrics_pipeline.api.problems import Problem, not_found
from metrics_pipeline.api.reading.parameters import Cursor
from metrics_pipeline.api.runs.dagster_client import RunInfo, instant
from metrics_pipeline.api.runs.launching import REQUESTED_BY_TAG, partitions_of
from metrics_pipeline.api.services import Parts
from metrics_pipeline.control.job_pages import WORKSPACE_TAG, Place, Wanted, find_run, page_of_runs
from metrics_pipeline.control.job_runs import JobRunRecord
from metrics_pipeline.shapes.admin import (
    CoverageAnswer,
    CoverageMeta,
    DaemonState,
    JobsAnswer,
    JobsMeta,
    RunAnswer,
    RunState,
    Scheduler,
    SchedulerAnswer,
    ScheduleState,
    SensorState,
    StatsAnswer,
    Tick,
)
from metrics_pipeline.windows import DAY

COVERAGE_DAYS = 7
MOST_COVERAGE_DAYS = 92
_RUN_ID = re.compile(r"[0-9A-Za-z-]{1,64}")

router = APIRouter(prefix="/v1/admin", tags=["admin"], responses=ADMIN_ERRORS)


def _in_utc(value: datetime) -> datetime:
    """The instant in UTC. Raises ValueError for one that lies before the first or behind the last there is."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("out of range") from None


def _written(value: object) -> object:
    """Only what is written as a day: a number would be taken for seconds since 1970."""
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise ValueError("write a day as 2026-10-01")
    return value


def _no_number(value: object) -> object:
    """As `_written`, for instants."""
    if isinstance(value, str) and not re.match(r"\d{4}-\d{2}-\d{2}[Tt ]", value):
        raise ValueError("write an instant as 2026-10-01T12:00:00Z")
    return value


Day = Annotated[date, BeforeValidator(_written)]
Since = Annotated[AwareDatetime, AfterValidator(_in_utc), BeforeValidator(_no_number)]
JobName = Annotated[str, Field(min_length=1, max_length=255, json_schema_extra={"pattern": NO_NUL})]
Platform = Annotated[str, Field(min_length=1, max_length=64, json_schema_extra={"pattern": NO_NUL})]
Workspace = Annotated[OwnId | SkipJsonSchema[None], Query(description="For an operator's key: only this workspace.")]
RunId = Annotated[
    Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{_RUN_ID.pattern}$"})],
    Path(description="Dagster's id of the run."),
]


@router.get("/runs/{run_id}", name="get_run")
async def get_run(run_id: RunId, caller: Admin, parts: Parts) -> RunAnswer:
    """What became of a run: Dagster's word on it, and its row of the jobs log once it is there.

    A workspace's key sees the runs that are about its workspace.
    """
    if not _RUN_ID.fullmatch(run_id):
        raise not_found()
    run = await parts.launcher.dagster.run(run_id)
    if run is not None and caller.workspace_id not in (None, run.tags.get(WORKSPACE_TAG)):
        raise not_found()
    row = await asyncio.to_thread(find_run, parts.control, run_id, caller.workspace_id)
    if run is not None:
        return RunAnswer(data=_state(run, row), meta={})
    if row is None:
        raise not_found()
    return RunAnswer(data=_logged(row), meta={})


@router.get("/jobs", name="list_jobs")
async def list_jobs(
    caller: Admin,
    parts: Parts,
    state: Annotated[
        Literal["RUNNING", "COMPLETED", "PARTIAL", "FAILED", "CANCELED"] | SkipJsonSchema[None],
        Query(description="Only these."),
    ] = None,
    name: Annotated[JobName | SkipJsonSchema[None], Query(description="Only this job, such as daily_close.")] = None,
    since: Annotated[
        Since | SkipJsonSchema[None], Query(description="Only runs asked for since; with an offset.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Rows of a page.")] = 50,
    cursor: Cursor = None,
) -> JobsAnswer:
    """The jobs log, newest first: every run with its times, rows, accounts and first error.

    A workspace's key sees the runs that are about its workspace. Pages follow each other without a gap or a repeat,
    also while runs are added.
    """
    after = None if cursor is None else read_cursor(cursor)
    wanted = Wanted(caller.workspace_id, _plain(name), state, since)
    runs = await asyncio.to_thread(page_of_runs, parts.control, wanted, limit + 1, after)
    page, has_more = runs[:limit], len(runs) > limit
    next_cursor = write_cursor(Place(page[-1].requested_at, page[-1].run_id)) if has_more else None
    return JobsAnswer(data=[job_row(run) for run in page], meta=JobsMeta(next_cursor=next_cursor, has_more=has_more))


@router.get("/scheduler", name="get_scheduler")
async def scheduler(_caller: Admin, parts: Parts) -> SchedulerAnswer:
    """Schedules and sensors with their state and next runs, and whether the daemon that starts them works."""
    found = await parts.launcher.dagster.scheduler()
    daemons = [_daemon(daemon) for daemon in found["daemons"]]
    data = Scheduler(
        healthy=all(daemon.healthy for daemon in daemons if daemon.required),
        schedules=[_schedule(schedule) for schedule in found["schedules"]],
        sensors=[_sensor(sensor) for sensor in found["sensors"]],
        daemons=daemons,
    )
    return SchedulerAnswer(data=data, meta={})


@router.get("/coverage", name="get_coverage")
async def coverage(
    caller: Admin,
    parts: Parts,
    start: Annotated[
        Day | SkipJsonSchema[None], Query(description="First day, UTC; default six days before end's last day.")
    ] = None,
    end: Annotated[
        Day | SkipJsonSchema[None], Query(description="The day after the last one; default tomorrow.")
    ] = None,
    platform: Annotated[Platform | SkipJsonSchema[None], Query(description="Only this platform.")] = None,
    workspace_id: Workspace = None,
) -> CoverageAnswer:
    """How many of the accounts that were asked gave something, by platform and day; at most 92 days at once."""
    workspace = _narrowed(caller, workspace_id)
    last = end or parts.clock.now().date() + DAY
    first = start or max(last, date.min + COVERAGE_DAYS * DAY) - timedelta(days=COVERAGE_DAYS)
    if first >= last:
        raise Problem(422, "invalid_window", "start lies before end, the day after the last.")
    if last - first > timedelta(days=MOST_COVERAGE_DAYS):
        detail = f"One request may name at most {MOST_COVERAGE_DAYS} days."
        raise Problem(422, "window_too_long", detail, extensions={"most_days": MOST_COVERAGE_DAYS})
    rows = await asyncio.to_thread(AdminReader(parts).coverage, workspace, first, last, _plain(platform))
    return CoverageAnswer(data=rows, meta=CoverageMeta(start=first, end=last, workspace_id=workspace))


@router.get("/stats", name="get_stats")
async def stats(caller: Admin, parts: Parts, workspace_id: Workspace = None) -> StatsAnswer:
    """Accounts by platform and status, events of today, freshness, last runs; for an operator inbox and tables too."""
    workspace = _narrowed(caller, workspace_id)
    data = await asyncio.to_thread(AdminReader(parts).stats, workspace, parts.clock.now())
    return StatsAnswer(data=data, meta={})


def _narrowed(caller: Caller, named: str | None) -> str | None:
    """Whose rows are told: the key's own, or for an operator those of a workspace that is named, or everybody's."""
    return caller.workspace_id if named is None else caller.visible(_plain(named) or "")


def _plain(text: str | None) -> str | None:
    """A text that a database may be asked about. Raises Problem 404 for one that nothing can be called."""
    if text is not None and not text.isprintable():
        raise not_found()
    return text


def _state(run: RunInfo, row: JobRunRecord | None) -> RunState:
    log = None if row is None else job_row(row)
    schedule, sensor = run.tags.get("dagster/schedule_name"), run.tags.get("dagster/sensor_name")
    by = f"schedule {schedule}" if schedule else f"sensor {sensor}" if sensor else "UI"
    return RunState.model_validate(
        {
            "run_id": run.run_id,
            "job": "materialize" if run.job.startswith("__") else run.job,
            "status": run.status,
            "partitions": partitions_of(run),
            "workspace_id": run.tags.get(WORKSPACE_TAG),
            "requested_by": run.tags.get(REQUESTED_BY_TAG, by),
            "requested_at": run.created_at,
            "started_at": run.started_at,
            "ended_at": run.ended_at,
            "log": log,
        }
    )


def _logged(row: JobRunRecord) -> RunState:
    log = job_row(row)
    return RunState(
        run_id=log.run_id,
        job=log.job,
        status=None,
        partitions=log.partitions,
        workspace_id=row.tags.get(WORKSPACE_TAG),
        requested_by=log.requested_by,
        requested_at=log.requested_at,
        started_at=log.started_at,
        ended_at=log.ended_at,
        log=log,
    )


def _schedule(found: dict[str, Any]) -> ScheduleState:
    is_running = found["scheduleState"]["status"] == "RUNNING"
    ticks = found["futureTicks"]["results"] if is_running else []
    return ScheduleState(
        name=found["name"],
        description=found["description"],
        state=found["scheduleState"]["status"],
        job=found["pipelineName"],
        cron=found["cronSchedule"],
        timezone=found["executionTimezone"] or "UTC",
        last_tick=_tick(found["scheduleState"]),
        next_runs=[at for tick in ticks if (at := instant(tick["timestamp"])) is not None],
    )


def _sensor(found: dict[str, Any]) -> SensorState:
    following = found["nextTick"]
    return SensorState(
        name=found["name"],
        description=found["description"],
        state=found["sensorState"]["status"],
        jobs=sorted(target["pipelineName"] for target in found["targets"] or ()),
        every_seconds=found["minIntervalSeconds"],
        last_tick=_tick(found["sensorState"]),
        next_run=instant(following["timestamp"]) if following else None,
    )


def _tick(state: dict[str, Any]) -> Tick | None:
    last = state["ticks"][0] if state["ticks"] else None
    at = instant(last["timestamp"]) if last else None
    return Tick(status=last["status"], at=at) if last and at else None


def _daemon(found: dict[str, Any]) -> DaemonState:
    return DaemonState(
        name=found["daemonType"],
        required=found["required"],
        healthy=found["healthy"],
        last_heartbeat_at=instant(found["lastHeartbeatTime"]),
    )
