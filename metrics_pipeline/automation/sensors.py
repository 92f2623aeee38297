"""Sensors: gaps, what follows a finished run, and the jobs log with what somebody should hear of."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import dagster as dg

from metrics_pipeline.automation.alerts import Alerts
from metrics_pipeline.automation.gaps import REFILL_TAG, first_and_last_day, gap_requests
from metrics_pipeline.automation.job_log import JobLog
from metrics_pipeline.automation.jobs import DAILY_CLOSE, MONTHLY_CLOSE, WEEKLY_CLOSE, AssetJob
from metrics_pipeline.automation.ranges import keys_of_tags, request_window
from metrics_pipeline.partitions import PartitionSets
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window


def sensors(jobs: dict[str, AssetJob], partitions: PartitionSets, settings: Settings) -> list[dg.SensorDefinition]:
    """Every sensor of the pipeline."""
    insights_jobs = [job for name, job in jobs.items() if name.endswith("_insights")]
    return [
        _gap_filler(list(jobs.values()), partitions, settings),
        _rollups_after_days(jobs, partitions),
        _days_after_refill(insights_jobs, jobs[DAILY_CLOSE], partitions),
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
        description="Rolls rebuilt days up to the weeks and months that contain them, and those compared with them.",
    )
    def rollups_after_days(context: dg.RunStatusSensorContext) -> Iterator[dg.RunRequest]:
        window = _window_of_run(context.dagster_run)
        if window is None:
            return
        now = Pipeline.from_environment().settings.clock.now()
        for job_name, partition_set, period in (
            (WEEKLY_CLOSE, partitions.weekly, timedelta(days=7)),
            (MONTHLY_CLOSE, partitions.monthly, timedelta(days=31)),
        ):
            run_key = f"{job_name}:after:{context.dagster_run.run_id}"
            # the period after the last one touched compares itself with it
            reached = Window(window.start, window.end + period)
            request = request_window(job_name, partition_set, reached, now, run_key=run_key)
            if request:
                yield request

    return rollups_after_days


def _days_after_refill(
    insights_jobs: Sequence[AssetJob], close: AssetJob, partitions: PartitionSets
) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        name="days_after_refill",
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=list(insights_jobs),
        request_job=close,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Rebuilds the days that the gap filler brought readings for.",
    )
    def days_after_refill(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        window = _window_of_run(context.dagster_run)
        if window is None or REFILL_TAG not in context.dagster_run.tags:
            return dg.SkipReason("The run filled no gap; the daily close takes care of it.")
        now = Pipeline.from_environment().settings.clock.now()
        run_key = f"{DAILY_CLOSE}:after:{context.dagster_run.run_id}"
        request = request_window(DAILY_CLOSE, partitions.daily, window, now, run_key=run_key)
        return request or dg.SkipReason(f"No partition lies in {window}.")

    return days_after_refill


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
