"""Snapshots follow the closes: whatever a close changed is put into them."""

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg

from metrics_pipeline.automation.jobs import (
    DAILY_CLOSE,
    DAILY_SNAPSHOTS,
    MONTHLY_CLOSE,
    MONTHLY_SNAPSHOTS,
    WEEKLY_CLOSE,
    WEEKLY_SNAPSHOTS,
    AssetJob,
    partition_set_of,
)
from metrics_pipeline.automation.ranges import requests_after
from metrics_pipeline.lake.changes import days_changed_by
from metrics_pipeline.partitions import PartitionSets
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.windows import runs_of_days


@dataclass(frozen=True)
class _Follower:
    """The job that a close is followed by, and the table whose changes it takes up."""

    job: str
    table: str


_FOLLOWERS = {
    DAILY_CLOSE: _Follower(DAILY_SNAPSHOTS, "daily_metrics"),
    WEEKLY_CLOSE: _Follower(WEEKLY_SNAPSHOTS, "weekly_metrics"),
    MONTHLY_CLOSE: _Follower(MONTHLY_SNAPSHOTS, "monthly_metrics"),
}


def snapshots_after_closes(jobs: dict[str, AssetJob], partitions: PartitionSets) -> dg.SensorDefinition:
    """The sensor that asks for the snapshots of the periods that a close has changed."""

    @dg.run_status_sensor(
        name="snapshots_after_closes",
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[jobs[close] for close in _FOLLOWERS],
        request_jobs=[jobs[follower.job] for follower in _FOLLOWERS.values()],
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Makes the snapshots of days, weeks and months that a close has changed.",
    )
    def sensor(context: dg.RunStatusSensorContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        run = context.dagster_run
        follower = _FOLLOWERS[run.job_name]
        pipeline = Pipeline.from_environment()
        now = pipeline.settings.clock.now()
        changed = runs_of_days(days_changed_by(pipeline.lake.table(follower.table), run.run_id))
        periods = partition_set_of(follower.job, partitions)
        asked = list(requests_after(run.run_id, follower.job, periods, changed, now))
        if not asked:
            yield dg.SkipReason("The run changed nothing.")
        yield from asked

    return sensor
