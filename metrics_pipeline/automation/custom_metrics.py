"""Values of custom metrics follow what they rest on: definitions, and every table they read."""

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

import dagster as dg

from metrics_pipeline.assets.custom_metrics import VALUE_KEYS
from metrics_pipeline.automation.content_sensor import is_unfinished
from metrics_pipeline.automation.jobs import CUSTOM_METRICS, AssetJob
from metrics_pipeline.automation.ranges import consecutive, keys_in_window, range_tags
from metrics_pipeline.custom_metrics.spans import Grain
from metrics_pipeline.partitions import PartitionSets
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

# A run that has more to do than so many metrics does all of them.
MOST_NAMED = 200

if TYPE_CHECKING:
    from metrics_pipeline.custom_metrics.staleness import Stale


def custom_metric_sensor(
    jobs: Mapping[str, AssetJob], partitions: PartitionSets, settings: Settings
) -> dg.SensorDefinition:
    """The sensor that asks for values of new and changed definitions, and for those whose rows have changed."""

    @dg.sensor(
        name="custom_metrics_changed",
        jobs=[jobs[job] for job in CUSTOM_METRICS.values()],
        minimum_interval_seconds=settings.custom_metrics_interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Computes metrics that were defined or changed over all of history, and others where rows changed.",
    )
    def custom_metrics_changed(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        from metrics_pipeline.custom_metrics.flow import CustomMetricFlow

        if any(is_unfinished(context.instance, job) for job in CUSTOM_METRICS.values()):
            return dg.SkipReason("The last run is not finished.")
        flow = CustomMetricFlow(Pipeline.from_environment())
        stale = flow.stale(json.loads(context.cursor) if context.cursor else {})
        now = flow.pipeline.settings.clock.now()
        requests = [request for grain in VALUE_KEYS for request in _requests(stale, grain, partitions, now)]
        cursor = json.dumps(stale.cursor)
        if not requests:
            context.update_cursor(cursor)
            return dg.SkipReason("No definition and no row behind one changed.")
        return dg.SensorResult(run_requests=requests, cursor=cursor)

    return custom_metrics_changed


def _requests(stale: "Stale", grain: Grain, partitions: PartitionSets, now: datetime) -> Iterator[dg.RunRequest]:
    """One run for the metrics that are new, over all of their history; one for each stretch of days that changed."""
    if stale.defined:
        yield from _stretches(grain, partitions, [(stale.defined_from, stale.end)], stale.defined, now)
    if stale.spans:
        yield from _stretches(grain, partitions, stale.spans, stale.touched, now)


def _stretches(
    grain: Grain,
    partitions: PartitionSets,
    spans: Collection[tuple[date, date]],
    metrics: Collection[str],
    now: datetime,
) -> Iterator[dg.RunRequest]:
    wanted_set = {"day": partitions.daily, "week": partitions.weekly, "month": partitions.monthly}[grain]
    wanted = {key for span in spans for key in keys_in_window(wanted_set, Window.of_days(*span), now)}
    named = sorted(metrics) if len(metrics) <= MOST_NAMED else []
    step = VALUE_KEYS[grain].to_python_identifier()
    for keys in consecutive(wanted_set.get_partition_keys(current_time=now), wanted):
        yield dg.RunRequest(
            job_name=CUSTOM_METRICS[grain],
            run_config={"ops": {step: {"config": {"metrics": named}}}},
            tags=range_tags(keys),
        )
