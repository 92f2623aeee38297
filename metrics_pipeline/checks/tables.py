"""Asset checks over the aggregate tables: each is a file of sql/checks/ whose rows are the offenders."""

from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg

from metrics_pipeline.assets.aggregates import DAILY_KEYS, MONTHLY_KEY, WEEKLY_KEY
from metrics_pipeline.assets.custom_metrics import VALUE_KEYS
from metrics_pipeline.assets.snapshots import SNAPSHOT_KEYS
from metrics_pipeline.automation.alerts import Alerts
from metrics_pipeline.control.alerts import Severity
from metrics_pipeline.lake.session import Parameter
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.windows import Window

SHOWN_OFFENDERS = 20
_HAS_SNAPSHOT = "Every workspace and account that has numbers has a snapshot of them."


@dataclass(frozen=True)
class SqlCheck:
    """A check: the asset it guards, the file that finds offenders, and what passing means.

    entity_type: the part of the table that the asset fills, of snapshots their type.
    """

    name: str
    asset: dg.AssetKey
    file: str
    description: str
    entity_type: str = ""
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR


def _declared() -> Sequence[SqlCheck]:
    unique = "No two rows share a key."
    daily = [
        SqlCheck("keys_unique", asset, "daily_keys_unique.sql", unique, entity_type)
        for entity_type, asset in DAILY_KEYS.items()
    ]
    rollups = [
        check
        for asset, grain in ((WEEKLY_KEY, "weekly"), (MONTHLY_KEY, "monthly"))
        for check in (
            SqlCheck("keys_unique", asset, f"{grain}_keys_unique.sql", unique),
            SqlCheck("sums_match_days", asset, f"{grain}_sums_match_days.sql", "Totals are the sums of their days."),
            SqlCheck("growth_recomputed", asset, f"{grain}_growth_recomputed.sql", "Growth follows from the values."),
        )
    ]
    snapshots = [
        check
        for kind, asset in SNAPSHOT_KEYS.items()
        for check in (
            SqlCheck("keys_unique", asset, "snapshot_keys_unique.sql", unique, kind),
            SqlCheck("coverage", asset, f"{kind}_snapshots_missing.sql", _HAS_SNAPSHOT, kind),
        )
    ]
    custom = [
        SqlCheck("keys_unique", asset, "custom_metric_keys_unique.sql", unique, grain)
        for grain, asset in VALUE_KEYS.items()
    ]
    return [*daily, *rollups, *snapshots, *custom]


def table_checks() -> list[dg.AssetChecksDefinition]:
    """Every structural check of the aggregate tables."""
    return [*(_build(check) for check in _declared()), *(_coverage_check(e) for e in DAILY_KEYS)]


def check_window(context: dg.AssetCheckExecutionContext) -> Window | None:
    """The run's window; None outside a partitioned run, where the whole table is looked at."""
    return (
        Window(*context.partition_time_window) if context.has_partition_key or context.has_partition_key_range else None
    )


def _parameters(window: Window | None, entity_type: str) -> dict[str, Parameter]:
    from datetime import date

    return {
        "start": window.first_day if window else date(1970, 1, 1),
        "end": window.end_day if window else date(9999, 1, 1),
        "entity_type": entity_type,
    }


def _build(check: SqlCheck) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=check.asset, name=check.name, description=check.description)
    def run(context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.AssetCheckResult:
        window = check_window(context)
        parameters = _parameters(window, check.entity_type)
        offenders = pipeline.engine.query(f"checks/{check.file}", parameters)
        rows = offenders.slice(0, SHOWN_OFFENDERS).to_pylist()
        _tell(pipeline, check, window, offenders.num_rows)
        return dg.AssetCheckResult(
            passed=offenders.num_rows == 0,
            severity=check.severity,
            metadata={
                "offending_rows": offenders.num_rows,
                "sample": dg.MetadataValue.md("\n".join(f"- {row}" for row in rows) or "none"),
            },
        )

    return run


def _tell(pipeline: Pipeline, check: SqlCheck, window: Window | None, offenders: int) -> None:
    """The alert of a check. Two days that pass say nothing of the seventeen that failed: each length has its own."""
    name, alerts = check.asset.to_user_string(), Alerts.of(pipeline)
    key = f"check:{name}:{check.name}:{f'{len(window.days())} days' if window else 'whole table'}"
    if offenders:
        level: Severity = "error" if check.severity is dg.AssetCheckSeverity.ERROR else "warning"
        over = f" over {window}" if window else ""
        text = f"Check {check.name} of {name}{over} failed. Rows against it: {offenders}. Expected: {check.description}"
        alerts.alert(key, text, level)
    else:
        alerts.recovered(key, f"Recovered: check {check.name} of {name} passes.")


def _coverage_check(entity_type: str) -> dg.AssetChecksDefinition:
    """Warns when a day that is over has rows without a value for a reason that needs somebody."""

    @dg.asset_check(
        asset=DAILY_KEYS[entity_type],  # type: ignore[index]
        name="coverage",
        description="No metric of a day that is over failed or was refused.",
    )
    def coverage(context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.AssetCheckResult:
        parameters = _parameters(check_window(context), entity_type)
        parameters["today"] = pipeline.settings.clock.now().date()
        missing = pipeline.engine.query("checks/daily_missing.sql", parameters)
        lines = [
            f"- {r['workspace_id']} {r['platform']} {r['entity_id']}: {r['state']}, {r['reason']} "
            f"({r['metrics']} metrics on {r['days']} days)"
            for r in missing.slice(0, SHOWN_OFFENDERS).to_pylist()
        ]
        return dg.AssetCheckResult(
            passed=missing.num_rows == 0,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"groups": missing.num_rows, "missing": dg.MetadataValue.md("\n".join(lines) or "none")},
        )

    return coverage
