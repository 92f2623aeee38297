"""Sensors of erasure, and of days of content that changed after their close."""

from collections.abc import Mapping
from datetime import date

import dagster as dg

from metrics_pipeline.automation.content_sensor import is_unfinished
from metrics_pipeline.automation.jobs import CONTENT_DAYS, DAILY_CLOSE, DAYS_TAG, ERASE_PEOPLE, AssetJob
from metrics_pipeline.automation.ranges import keys_of_tags, request_window
from metrics_pipeline.control.erasures import unfinished_erasures
from metrics_pipeline.partitions import PartitionSets
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, Window


def erasure_sensors(
    jobs: Mapping[str, AssetJob], erasure_job: dg.JobDefinition, partitions: PartitionSets, settings: Settings
) -> list[dg.SensorDefinition]:
    """Requests for erasure become runs; days that changed long after their close become daily metrics again."""

    @dg.sensor(
        name="erasures_requested",
        job=erasure_job,
        minimum_interval_seconds=settings.events_interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Requests a run while somebody waits to be erased, or files of erased people wait to be swept.",
    )
    def erasures_requested(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if is_unfinished(context.instance, ERASE_PEOPLE):
            return dg.SkipReason("The last run is not finished.")
        waiting = unfinished_erasures(Pipeline.from_environment().control)
        return dg.RunRequest() if waiting else dg.SkipReason("Nobody waits.")

    @dg.run_status_sensor(
        name="daily_after_content",
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[jobs[CONTENT_DAYS], erasure_job],
        request_job=jobs[DAILY_CLOSE],
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Rebuilds daily metrics of days whose content changed after their close: late, imported, erased.",
    )
    def daily_after_content(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        window = _changed_days(context.dagster_run)
        now = Pipeline.from_environment().settings.clock.now()
        # yesterday and today: the refresh of the day and the nightly close take care of them
        if window is None or window.first_day >= now.date() - DAY:
            return dg.SkipReason("No day before yesterday changed.")
        run_key = f"{DAILY_CLOSE}:after:{context.dagster_run.run_id}"
        request = request_window(DAILY_CLOSE, partitions.daily, window, now, run_key=run_key)
        return request or dg.SkipReason(f"No partition lies in {window}.")

    return [erasures_requested, daily_after_content]


def _changed_days(run: dg.DagsterRun) -> Window | None:
    if DAYS_TAG in run.tags:
        first, last = (date.fromisoformat(day) for day in run.tags[DAYS_TAG].split("/"))
        return Window.of_days(first, last + DAY)
    keys = keys_of_tags(run.tags)
    return Window.of_days(date.fromisoformat(keys[0]), date.fromisoformat(keys[1]) + DAY) if keys else None
