"""Real-time metrics compared with stored events, as an asset.

Without partitions: what is compared is what real-time metrics still keep, and that moves with the clock.
"""

from collections.abc import Sequence

import dagster as dg

from metrics_pipeline.assets.content import EVENTS_KEY
from metrics_pipeline.assets.describe import table_metadata
from metrics_pipeline.automation.alerts import Alerts
from metrics_pipeline.lake.reconciliation_tables import REALTIME_RECONCILIATIONS
from metrics_pipeline.pipeline import Pipeline

REALTIME_KEY = dg.AssetKey(["realtime_reconciliation"])
ALERT = "drift:realtime"
SHOWN = 20
TOLD = 5
# Redis that is just restarted is back by then; the next hour compares the same buckets.
RETRY = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


def realtime_reconciliation_asset() -> dg.AssetsDefinition:
    """The asset, with its check that nothing had drifted."""

    @dg.asset(
        key=REALTIME_KEY,
        deps=[EVENTS_KEY],
        description=REALTIME_RECONCILIATIONS.description,
        group_name="content",
        kinds={"sql", "duckdb", "deltalake"},
        owners=["team:metrics"],
        metadata=table_metadata(REALTIME_RECONCILIATIONS),
        retry_policy=RETRY,
        check_specs=[
            dg.AssetCheckSpec("no_drift", asset=REALTIME_KEY, description="Live figures were what events say.")
        ],
    )
    def realtime_reconciliation(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare name
        from metrics_pipeline.realtime_flow import RealtimeFlow

        done = RealtimeFlow(pipeline).reconcile(context.run.run_id)
        lines = [drift.line() for drift in done.found]
        _tell(Alerts.of(pipeline), [drift.line() for drift in done.lasting])
        actions = {action: sum(drift.action == action for drift in done.drifts) for action in ACTIONS}
        context.log.info(f"{done.compared} buckets up to {done.until:%Y-%m-%d %H:%M:%S} UTC: {actions}")
        check = dg.AssetCheckResult(
            passed=not lines,
            check_name="no_drift",
            asset_key=REALTIME_KEY,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"drifts": _listed(lines)},
        )
        metadata: dict[str, dg.MetadataValue | int | float] = {
            "compared": done.compared,
            "differing": len(done.found),
            **actions,
            "drift": float(sum(abs(drift.size) for drift in done.found)),
            "compared_until": dg.MetadataValue.timestamp(done.until),
            "drifts": _listed(lines),
        }
        return dg.MaterializeResult(metadata=metadata, check_results=[check])

    return realtime_reconciliation


ACTIONS = ("repaired", "filled", "erased", "refused")


def _listed(lines: Sequence[str]) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md("\n".join(f"- {line}" for line in lines[:SHOWN]) or "none")


def _tell(alerts: Alerts, lines: Sequence[str]) -> None:
    """Alert of what no update on its way explains; it is over when a comparison finds nothing."""
    if not lines:
        alerts.recovered(ALERT, "Real-time metrics are what stored events say.")
        return
    more = f" And {len(lines) - TOLD} more." if len(lines) > TOLD else ""
    text = (
        f"{len(lines)} buckets of real-time metrics were not what stored events say: {'. '.join(lines[:TOLD])}.{more}"
    )
    alerts.alert(ALERT, text, "warning")
