"""An error where numbers made of the same rows differ, a warning where a platform's numbers drift apart."""

from collections.abc import Sequence

import dagster as dg

from metrics_pipeline.aggregation.reconciliation import Drift, drifts
from metrics_pipeline.assets.reconciliation import RECONCILIATIONS_KEY
from metrics_pipeline.automation.alerts import Alerts
from metrics_pipeline.checks.tables import check_window
from metrics_pipeline.control.alerts import Severity
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.windows import DAY, Window

SHOWN = 20
TOLD = 5


def reconciliation_check() -> dg.AssetChecksDefinition:
    """The check of the reconciliations, over the days of the run; without any, over the last month."""

    @dg.asset_check(asset=RECONCILIATIONS_KEY, name="reconciled", description="Two ways to a number meet.")
    def reconciled(context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.AssetCheckResult:
        today = pipeline.settings.clock.now().date()
        given = check_window(context)
        window = given or Window.of_days(today - 31 * DAY, today)
        found = drifts(pipeline.engine, window)
        if given is None or given.end_day >= today:  # a backfill of old days tells nobody
            _tell(Alerts.of(pipeline), found)
        lines = [*found.exact, *found.others]
        return dg.AssetCheckResult(
            passed=not lines,
            severity=dg.AssetCheckSeverity.ERROR if found.exact else dg.AssetCheckSeverity.WARN,
            metadata={
                "drifts_of_the_same_rows": len(found.exact),
                "drifts_beyond_tolerance": len(found.others),
                "drifts": dg.MetadataValue.md("\n".join(f"- {line}" for line in lines[:SHOWN]) or "none"),
            },
        )

    return reconciled


def _tell(alerts: Alerts, found: Drift) -> None:
    _tell_of(alerts, "drift:same_rows", found.exact, "error")
    _tell_of(alerts, "drift:platforms", found.others, "warning")


def _tell_of(alerts: Alerts, key: str, lines: Sequence[str], severity: Severity) -> None:
    if not lines:
        alerts.recovered(key, "Numbers that had drifted apart meet again.")
        return
    more = f" And {len(lines) - TOLD} more." if len(lines) > TOLD else ""
    alerts.alert(key, f"{len(lines)} numbers have drifted apart: {'. '.join(lines[:TOLD])}.{more}", severity)
