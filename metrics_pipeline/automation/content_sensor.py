"""Sensors of first-party content: the inbox every minute, days whose events changed every hour."""

from collections.abc import Mapping
from datetime import timedelta

import dagster as dg

from metrics_pipeline.automation.jobs import CONTENT_DAYS, PROCESS_EVENTS, AssetJob
from metrics_pipeline.automation.ranges import consecutive, range_tags
from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.partitions import PartitionSets
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import Settings

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def content_sensors(
    jobs: Mapping[str, AssetJob], partitions: PartitionSets, settings: Settings
) -> list[dg.SensorDefinition]:
    """The two sensors of content; neither asks for a run while its last one is unfinished."""

    @dg.sensor(
        name="event_inbox",
        job=jobs[PROCESS_EVENTS],
        minimum_interval_seconds=settings.events_interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Requests processing while the inbox holds events, or the lake holds some that are not counted.",
    )
    def event_inbox(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if is_unfinished(context.instance, PROCESS_EVENTS):
            return dg.SkipReason("The last run is not finished.")
        waiting = ContentFlow(Pipeline.from_environment()).waiting()
        return dg.RunRequest() if waiting else dg.SkipReason("Nothing waits.")

    @dg.sensor(
        name="content_days_changed",
        job=jobs[CONTENT_DAYS],
        minimum_interval_seconds=settings.content_days_interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Rebuilds the days of content that events came into, late ones too, with their distinct viewers.",
    )
    def content_days_changed(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if is_unfinished(context.instance, CONTENT_DAYS):
            return dg.SkipReason("The last run is not finished.")
        pipeline = Pipeline.from_environment()
        days = {day.isoformat() for day in ContentFlow(pipeline).dirty_days()}
        now = pipeline.settings.clock.now()
        keys = partitions.daily.get_partition_keys(current_time=now + timedelta(days=1))
        # one run over everything between the first and the last day: they lie within the lateness window
        groups = consecutive(keys, {key for key in keys if days and min(days) <= key <= max(days)})
        if not groups:
            return dg.SkipReason("No day changed.")
        return dg.SensorResult(run_requests=[dg.RunRequest(tags=range_tags(group)) for group in groups])

    return [event_inbox, content_days_changed]


def is_unfinished(instance: dg.DagsterInstance, job: str) -> bool:
    """Whether a run of this job waits or is under way."""
    return bool(instance.get_run_records(dg.RunsFilter(job_name=job, statuses=UNFINISHED), limit=1))
