"""Whether the partitions exist that should: Dagster's freshness only sees that some partition was built lately."""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

from metrics_pipeline.assets.aggregates import DAILY_KEYS, MONTHLY_KEY, WEEKLY_KEY
from metrics_pipeline.assets.anomalies import ANOMALIES_KEY
from metrics_pipeline.assets.collection import platform_asset_key
from metrics_pipeline.assets.reconciliation import RECONCILIATIONS_KEY
from metrics_pipeline.assets.snapshots import SNAPSHOT_KEYS
from metrics_pipeline.automation.alerts import Alerts
from metrics_pipeline.automation.gaps import keys_over, lookback
from metrics_pipeline.automation.jobs import MISSING_PARTITIONS
from metrics_pipeline.automation.ranges import consecutive
from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.control.accounts import list_accounts
from metrics_pipeline.partitions import PartitionSets
from metrics_pipeline.pipeline import Pipeline

NAME = "partitions_exist"


def partition_checks(platforms: Sequence[PlatformSpec], partitions: PartitionSets) -> list[dg.AssetChecksDefinition]:
    """One check per table that a schedule builds, and per platform's series."""
    return [
        *(
            _partition_check(key, partitions.daily)
            for key in (*DAILY_KEYS.values(), ANOMALIES_KEY, RECONCILIATIONS_KEY)
        ),
        _partition_check(WEEKLY_KEY, partitions.weekly),
        _partition_check(MONTHLY_KEY, partitions.monthly),
        _partition_check(SNAPSHOT_KEYS["daily"], partitions.daily),
        _partition_check(SNAPSHOT_KEYS["weekly"], partitions.weekly),
        _partition_check(SNAPSHOT_KEYS["monthly"], partitions.monthly),
        *(
            _partition_check(platform_asset_key(spec.platform, "insights"), partitions.daily, spec.platform)
            for spec in platforms
        ),
    ]


def _partition_check(
    asset: dg.AssetKey, partitions: dg.TimeWindowPartitionsDefinition, platform: str | None = None
) -> dg.AssetChecksDefinition:
    name = asset.to_user_string()

    @dg.asset_check(asset=asset, name=NAME, description="Every partition of the last days that is over was built.")
    def partitions_exist(
        context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.AssetCheckResult:
        expected = expected_keys(pipeline, context.instance, asset, partitions, platform)
        missing = set(expected) - context.instance.get_materialized_partitions(asset)
        spans = [f"{g[0]} to {g[-1]}" if len(g) > 1 else g[0] for g in consecutive(expected, missing)]
        if context.run.job_name == MISSING_PARTITIONS:  # runs that fill a gap piece by piece would tell of the rest
            key, alerts = f"partitions:{name}", Alerts.of(pipeline)
            if missing:
                hint = f"metrics-pipeline backfill {name} --from ... --to ... builds them"
                alerts.alert(key, f"Partitions of {name} are missing: {', '.join(spans)}; {hint}.")
            else:
                alerts.recovered(key, f"Recovered: no partition of {name} is missing.")
        return dg.AssetCheckResult(
            passed=not missing,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "expected": len(expected),
                "missing": len(missing),
                "spans": dg.MetadataValue.md("\n".join(f"- {span}" for span in spans) or "none"),
            },
        )

    return partitions_exist


def expected_keys(
    pipeline: Pipeline,
    instance: dg.DagsterInstance,
    asset: dg.AssetKey,
    partitions: dg.TimeWindowPartitionsDefinition,
    platform: str | None = None,
) -> list[str]:
    """The partitions that should exist by now, oldest first.

    Those that are over for METRICS_PARTITION_GRACE_HOURS and overlap the look-back of the gap filler. Before the
    first one that was ever built nothing is expected; where none was, only once an account is connected.
    """
    accounts = [a for a in list_accounts(pipeline.control, platform=platform) if a.status == "active"]
    if platform is not None and not accounts:
        return []
    now = pipeline.settings.clock.now()
    due = now - timedelta(hours=pipeline.settings.partition_grace_hours)
    over = keys_over(partitions, lookback(pipeline, now), due)
    built = instance.get_materialized_partitions(asset)
    # keys are zero-padded times, so their text order is their time order
    return [key for key in over if key >= min(built)] if built else over if accounts else []
