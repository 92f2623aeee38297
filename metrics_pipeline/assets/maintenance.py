"""Lake maintenance as a Dagster job."""

import dagster as dg

from metrics_pipeline.automation.dead_runs import forget_old
from metrics_pipeline.automation.job_log import JobLog
from metrics_pipeline.automation.jobs import MAINTENANCE
from metrics_pipeline.collection.account_history import record_changes
from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.lake.maintenance import Retention, maintain_table
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.realtime_flow import RealtimeFlow


@dg.op(description="Expires raw responses and raw events, compacts small files, removes superseded ones.")
def maintain_lake(context: dg.OpExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> None:
    settings, today = pipeline.settings, pipeline.settings.clock.now().date()
    # of platforms whose last account was removed nothing is collected any more, and so nothing brought along
    record_changes(pipeline.engine, pipeline.control)
    context.log.info(f"message_statuses: {ContentFlow(pipeline).adopt_statuses()} days changed by accounts added since")
    retention = Retention(settings.api_responses_days, settings.events_days)
    for name in pipeline.lake.tables:
        done = maintain_table(pipeline.lake, name, today, retention, settings.vacuum_hours)
        context.log.info(done.line())
    JobLog(pipeline, context.instance).reconcile()
    context.log.info(forget_old(pipeline))
    context.log.info(f"{RealtimeFlow(pipeline).tidy()} copies of real-time buckets forgotten")


@dg.job(name=MAINTENANCE, description="Keeps the lake small and fast.")
def maintenance_job() -> None:
    maintain_lake()
