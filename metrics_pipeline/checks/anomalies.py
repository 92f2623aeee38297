"""A warning, and an alert for the last days, when a metric stands out from its weekdays."""

import dagster as dg

from metrics_pipeline.aggregation.anomalies import found_on, is_recent
from metrics_pipeline.assets.anomalies import ANOMALIES_KEY
from metrics_pipeline.automation.alerts import Alerts
from metrics_pipeline.checks.tables import check_window
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.windows import DAY, Window

SHOWN = 20
TOLD = 5


def anomaly_check() -> dg.AssetChecksDefinition:
    """The check of the anomalies asset, over the days of the run; without any, over the last days."""

    @dg.asset_check(asset=ANOMALIES_KEY, name="anomalies_found", description="No watched metric stands out.")
    def anomalies_found(
        context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.AssetCheckResult:
        now = pipeline.settings.clock.now()
        window = check_window(context) or Window.of_days(now.date() - 3 * DAY, now.date())
        days = found_on(pipeline.engine, window)
        for day, lines in days.items():
            if is_recent(day, now):
                more = f" And {len(lines) - TOLD} more." if len(lines) > TOLD else ""
                text = f"Anomalies on {day} ({len(lines)}): {'. '.join(lines[:TOLD])}.{more}"
                # a day is over and stays as it was: told once
                Alerts.of(pipeline).alert(f"anomalies:{day}", text, once=True)
        lines = [line for found in days.values() for line in found]
        return dg.AssetCheckResult(
            passed=not lines,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "anomalies": len(lines),
                "explanations": dg.MetadataValue.md("\n".join(f"- {line}" for line in lines[:SHOWN]) or "none"),
            },
        )

    return anomalies_found
