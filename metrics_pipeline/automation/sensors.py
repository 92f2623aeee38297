"""Sensors: gaps, what follows a finished run, and the jobs log with what somebody should hear of."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import dagster as dg

from metrics_pipeline.automation.alerts import Alerts
from metrics_pipeline.automation.gaps import first_and_last_day, gap_requests
from metrics_pipeline.automation.job_log import JobLog
from metrics_pipeline.automation.jobs import DAILY_CLOSE, MONTHLY_CLOSE, WEEKLY_CLOSE, AssetJob
from metrics_pipeline.automation.late_days import late_days_sensor
from metrics_pipeline.automation.ranges import keys_of_tags, requests_after
from metrics_pipeline.automation.snapshots import snapshots_after_closes
from metrics_pipeline.lake.changes import days_changed_by
from metrics_pipeline.partitions import PartitionSets
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window, runs_of_days


def sensors(jobs: dict[str, AssetJob], partitions: PartitionSets, settings: Settings) -> list[dg.SensorDefinition]:
    """Every sensor of the pipeline."""
    return [
        _gap_filler(list(jobs.values()), partitions, settings),
        _rollups_after_days(jobs, partitions),
        snapshots_after_closes(jobs, partitions),
        late_days_sensor(jobs[DAILY_CLOSE], partitions, settings),
        _jobs_log(settings),
    ]


def _gap_filler(jobs: Sequence[AssetJob], partitions: PartitionSets, settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        name="gap_filler",
        jobs=jobs,
        minimum_interval_seconds=settings.gap_interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Requests what was missed: partitions never built, and days of accounts that can be read again.",
    )
    def gap_filler(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        pipeline = Pipeline.from_environment()
        requests = gap_requests(pipeline, context.instance, partitions, pipeline.settings.clock.now())
        return dg.SensorResult(run_requests=requests) if requests else dg.SkipReason("Nothing is missing.")

    return gap_filler


def _window_of_run(run: dg.DagsterRun) -> Window | None:
    keys = keys_of_tags(run.tags)
    if keys is None:
        return None
    first, last = first_and_last_day(keys)
    return Window.of_days(first, last + timedelta(days=1))


def _rollups_after_days(jobs: dict[str, AssetJob], partitions: PartitionSets) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        name="rollups_after_days",
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[jobs[DAILY_CLOSE]],
        request_jobs=[jobs[WEEKLY_CLOSE], jobs[MONTHLY_CLOSE]],
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Rolls days that changed up to the weeks and months that contain them, or are compared with them.",
    )
    def rollups_after_days(context: dg.RunStatusSensorContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        window = _window_of_run(context.dagster_run)
        if window is None:
            return
        pipeline = Pipeline.from_environment()
        now = pipeline.settings.clock.now()
        changed = runs_of_days(days_changed_by(pipeline.lake.table("daily_metrics"), context.dagster_run.run_id))
        if not changed:
            yield dg.SkipReason(f"Every day of {window} came out as it was.")
        for job_name, partition_set, period in (
            (WEEKLY_CLOSE, partitions.weekly, timedelta(days=7)),
            (MONTHLY_CLOSE, partitions.monthly, timedelta(days=31)),
        ):
            # the period after the last one touched compares itself with it
            reached = [Window(days.start, days.end + period) for days in changed]
            yield from requests_after(context.dagster_run.run_id, job_name, partition_set, reached, now)

    return rollups_after_days


def _jobs_log(settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        name="jobs_log",
        minimum_interval_seconds=settings.jobs_log_interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Writes what became of runs into the jobs log, and sends the alerts that wait.",
    )
    def jobs_log(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        pipeline = Pipeline.from_environment()
        origin = context.code_location_origin
        location = origin.location_name if origin is not None else None
        context.update_cursor(JobLog(pipeline, context.instance).catch_up(context.cursor, location))
        sent = Alerts.of(pipeline).deliver()
        return dg.SkipReason(f"The jobs log is up to date; {sent} messages sent.")

    return jobs_log
