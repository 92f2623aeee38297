"""Days of daily metrics whose readings changed after their close: late, restated, imported, replayed, taken back."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import dagster as dg

from metrics_pipeline.aggregation.dirty import Dirty, dirty_days, versions_now
from metrics_pipeline.assets.aggregates import DAILY_KEYS
from metrics_pipeline.automation.content_sensor import is_unfinished
from metrics_pipeline.automation.jobs import DAILY_CLOSE
from metrics_pipeline.automation.ranges import request_window
from metrics_pipeline.partitions import PartitionSets
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.pipeline_start import pipeline_start
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, Window, runs_of_days

# Why a run was asked for: the commits it answers.
BECAUSE_TAG = "metrics/because"
_CAUSES_SHOWN = 5


def late_days_sensor(job: object, partitions: PartitionSets, settings: Settings) -> dg.SensorDefinition:
    """The sensor that asks for days again when something they are made of has changed."""

    @dg.sensor(
        name="days_after_readings",
        job=job,  # type: ignore[arg-type]  # a job whose selection is not resolved yet has no type of its own
        minimum_interval_seconds=settings.late_interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Rebuilds days whose readings changed after their close: late, restated, imported, taken back.",
    )
    def days_after_readings(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        pipeline = Pipeline.from_environment()
        if context.cursor is None:  # what was there before the first look is the schedules' and backfills' affair
            context.update_cursor(json.dumps(versions_now(pipeline.lake, pipeline.settings)))
            return dg.SkipReason("The first look: what changes from now on is followed.")
        if is_unfinished(context.instance, DAILY_CLOSE):
            return dg.SkipReason("A daily close is not finished.")
        found = late_days(pipeline, context.instance, json.loads(context.cursor))
        if not found.days:
            context.update_cursor(json.dumps(dict(found.dirty.versions)))
            return dg.SkipReason("Nothing changed after its close.")
        return dg.SensorResult(run_requests=requests(found, partitions, pipeline.settings.clock.now()))

    return days_after_readings


@dataclass(frozen=True)
class Late:
    """days: those that no run has built since they changed."""

    days: Sequence[date]
    dirty: Dirty


def late_days(pipeline: Pipeline, instance: dg.DagsterInstance, since: Mapping[str, int]) -> Late:
    """The days before yesterday that changed since these versions and were not built after that.

    Yesterday and today are left out: the refresh and the nightly close take care of them.
    """
    settings = pipeline.settings
    yesterday = settings.clock.now().date() - DAY
    dirty = dirty_days(pipeline.lake, settings, since)
    begins = pipeline_start(settings).week(settings.week_start_index)
    if dirty.is_unknown:  # the log of a table was cut since the last look, a month ago or more
        whole = Window.of_days(begins, yesterday).days() if begins < yesterday else []
        return Late(whole, Dirty(dict.fromkeys(whole, settings.clock.now()), dirty.causes, dirty.versions, True))
    old = {day: at for day, at in dirty.changed_at.items() if begins <= day < yesterday}
    built = _built_from(instance, old)
    return Late(sorted(day for day, at in old.items() if day not in built or built[day] <= at), dirty)


def requests(late: Late, partitions: PartitionSets, now: datetime) -> list[dg.RunRequest]:
    """One run for each run of neighbouring days, newest first; asked for again after an hour if it failed."""
    asked = [
        request_window(
            DAILY_CLOSE,
            partitions.daily,
            window,
            now,
            run_key=f"{DAILY_CLOSE}:late:{window.first_day}:{window.end_day}:{_key(late)}:{now:%Y-%m-%dT%H}",
            tags={BECAUSE_TAG: because(late.dirty)},
        )
        for window in reversed(runs_of_days(late.days))
    ]
    return [request for request in asked if request is not None]


def because(dirty: Dirty) -> str:
    """The commits that made days dirty, newest first, as a tag tells them."""
    if dirty.is_unknown:
        return "a table's log does not reach back to the last look"
    told = [
        f"{change.table} version {change.version}" + (f" by run {change.run[:8]}" if change.run else "")
        for change in reversed(dirty.causes)
    ]
    more = f" and {len(told) - _CAUSES_SHOWN} more" if len(told) > _CAUSES_SHOWN else ""
    return ", ".join(told[:_CAUSES_SHOWN]) + more


def _key(late: Late) -> str:
    return "-".join(str(version) for _, version in sorted(late.dirty.versions.items()))


def _built_from(instance: dg.DagsterInstance, days: Collection[date]) -> dict[date, datetime]:
    """When the newest run started that built a day to its end: its workspaces, which are built last."""
    if not days:
        return {}
    filter_ = dg.AssetRecordsFilter(DAILY_KEYS["workspace"], asset_partitions=[d.isoformat() for d in sorted(days)])
    newest: dict[str, str] = {}
    cursor: str | None = None
    while len(newest) < len(days):
        result = instance.fetch_materializations(filter_, limit=500, cursor=cursor)
        for record in result.records:
            newest.setdefault(str(record.partition_key), record.run_id)
        if not result.has_more:
            break
        cursor = result.cursor
    runs = instance.get_run_records(dg.RunsFilter(run_ids=sorted(set(newest.values())))) if newest else []
    started = {r.dagster_run.run_id: datetime.fromtimestamp(r.start_time or 0, UTC) for r in runs}
    return {date.fromisoformat(k): started[run] for k, run in newest.items() if run in started}
