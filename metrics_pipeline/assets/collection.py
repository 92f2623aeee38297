"""Collectors: per platform one hourly asset for counters and one daily asset for the platform's own series."""

import dagster as dg
from pydantic import Field

from metrics_pipeline.assets.describe import table_metadata
from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.collection.request import CollectionKind, CollectionRequest
from metrics_pipeline.collection.summary import CollectionSummary, Verdict
from metrics_pipeline.errors import UserError
from metrics_pipeline.lake.tables import COLLECTION_STATUS, COUNTER_READINGS, INSIGHT_READINGS, POSTS
from metrics_pipeline.partitions import PartitionSets, window_of
from metrics_pipeline.pipeline import Pipeline

POSTS_KEY = dg.AssetKey(["posts"])
STATUS_KEY = dg.AssetKey(["collection_status"])

# One run per day of hours, one per month of days: a failure repeats little, and Dagster stays cheap.
HOURS_PER_RUN = 24
DAYS_PER_RUN = 31

# Crashes and lost connections to a store; what a platform refuses is handled inside and never raised here.
RETRY = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)

OUTCOME_TAG = "metrics/outcome"


class CollectionScope(dg.Config):
    """Narrows a run; empty lists mean everything that is connected."""

    workspaces: list[str] = Field(default_factory=list, description="Only these workspaces.")
    accounts: list[str] = Field(default_factory=list, description="Only these accounts.")
    posts: list[str] = Field(
        default_factory=list, description="Only these posts of the one account that is named, and nothing else of it."
    )
    everything: bool = Field(default=False, description="Read every post, also those that are not due yet.")


def scope_config(asset: dg.AssetKey, **scope: object) -> dict[str, object]:
    """Run configuration that narrows one collector; the names are those of CollectionScope."""
    return {"ops": {"__".join(asset.path): {"config": scope}}}


def platform_asset_key(platform: str, collection: CollectionKind) -> dg.AssetKey:
    return dg.AssetKey(["platforms", platform, collection])


def collection_assets(spec: PlatformSpec, partitions: PartitionSets) -> list[dg.AssetsDefinition]:
    """The two collectors of one platform."""
    counters = _collection_asset(
        spec,
        "counters",
        partitions.hourly,
        dg.BackfillPolicy.multi_run(HOURS_PER_RUN),
        f"Counters and gauges of every {spec.label} account and post, as they stand in the hour. A past hour "
        "cannot be observed: its run refuses.",
    )
    insights = _collection_asset(
        spec,
        "insights",
        partitions.daily,
        dg.BackfillPolicy.multi_run(DAYS_PER_RUN),
        f"{spec.label}'s own daily series per measured day. Values may be restated for "
        f"{spec.restatement_days} days; a re-read adds a row only where a value changed.",
    )
    return [counters, insights]


def _collection_asset(
    spec: PlatformSpec,
    collection: CollectionKind,
    partitions_def: dg.PartitionsDefinition[str],
    backfill_policy: dg.BackfillPolicy,
    description: str,
) -> dg.AssetsDefinition:
    key = platform_asset_key(spec.platform, collection)
    table = COUNTER_READINGS if collection == "counters" else INSIGHT_READINGS

    @dg.asset(
        key=key,
        description=description,
        partitions_def=partitions_def,
        backfill_policy=backfill_policy,
        group_name=spec.platform,  # the graph shows the last part of a key only: the group tells whose it is
        kinds={"python", "deltalake"},
        owners=[spec.owner],
        tags={"platform": spec.platform, "collection": collection},
        metadata=table_metadata(table),
        pool=f"api_{spec.platform}",
        retry_policy=RETRY,
        check_specs=[
            dg.AssetCheckSpec("accounts_ok", asset=key, description="Every connected account gave what it should.")
        ],
    )
    def collect(
        context: dg.AssetExecutionContext, config: CollectionScope, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare name
        try:
            request = CollectionRequest(
                collection,
                window_of(context),
                context.run.run_id,
                config.workspaces,
                config.accounts,
                config.posts,
                config.everything,
            )
            summary = pipeline.collector(spec.platform).run(request)
        except UserError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        return report(context, key, summary)

    return collect


def report(context: dg.AssetExecutionContext, key: dg.AssetKey, summary: CollectionSummary) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare name
    """What Dagster shows of a collection run.

    Raises:
        dg.Failure: no account gave anything. Part of them failing is a warning and a tag, not a failure.
    """
    for account in summary.accounts:
        (context.log.info if account.is_ok else context.log.warning)(account.line())
    context.log.info(summary.line())
    if summary.verdict in (Verdict.PARTIAL, Verdict.FAILED):
        context.instance.add_run_tags(context.run.run_id, {OUTCOME_TAG: summary.verdict.value})
    if summary.verdict is Verdict.FAILED:
        # every account has its row in collection_status by now; another try at once would change nothing
        raise dg.Failure(summary.line(), metadata=_figures(summary), allow_retries=False)
    _report_side_tables(context, summary)
    _report_partitions(context, summary)
    problems = [a.line() for a in summary.accounts if not a.is_ok]
    check = dg.AssetCheckResult(
        passed=not problems,
        check_name="accounts_ok",
        asset_key=key,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"problems": dg.MetadataValue.md("\n".join(f"- {p}" for p in problems) or "none")},
    )
    return dg.MaterializeResult(metadata=_figures(summary), check_results=[check])


def _figures(summary: CollectionSummary) -> dict[str, dg.MetadataValue]:
    figures: dict[str, float | int | None] = {
        "rows": summary.rows_gained,
        "readings": summary.readings,
        "accounts_ok": summary.ok,
        "accounts_failed": summary.failed,
        "accounts_skipped": summary.skipped,
        "api_calls": summary.calls,
        "lag_minutes": summary.lag_minutes,
        "coverage": summary.coverage,
        "seconds": round(summary.seconds, 2),
    }
    shown: dict[str, dg.MetadataValue] = {
        name: dg.MetadataValue.float(float(value)) if isinstance(value, float) else dg.MetadataValue.int(value)
        for name, value in figures.items()
        if value is not None
    }
    unknown = sorted({f for a in summary.accounts for f in a.result.unknown_fields})
    if unknown:
        shown["unknown_fields"] = dg.MetadataValue.md("\n".join(f"- `{f}`" for f in unknown[:50]))
    if summary.left_for_later:
        lines = (f"- {a.workspace_id}/{a.account_id}: {a.problem}" for a in summary.left_for_later)
        shown["left_for_later"] = dg.MetadataValue.md("\n".join(lines))
    return {**shown, "outcome": dg.MetadataValue.text(summary.verdict.value)}


def _report_partitions(context: dg.AssetExecutionContext, summary: CollectionSummary) -> None:
    """Per-partition row counts: the run's own metadata would repeat its totals on every partition of a range."""
    if summary.collection != "insights":
        return
    for day, readings in summary.readings_per_day().items():
        if day.isoformat() in context.partition_keys:
            context.add_asset_metadata({"dagster/partition_row_count": readings}, partition_key=day.isoformat())


def _report_side_tables(context: dg.AssetExecutionContext, summary: CollectionSummary) -> None:
    """The tables every collector run fills beside its own, so that their lineage and freshness show."""
    outcomes = sum(len(a.result.outcomes) for a in summary.accounts)
    posts = len({p.post_id for a in summary.accounts for p in a.result.posts})
    context.log_event(dg.AssetMaterialization(STATUS_KEY, metadata={"rows_reported": outcomes}))
    if posts:
        context.log_event(dg.AssetMaterialization(POSTS_KEY, metadata={"posts_seen": posts}))


def side_tables(platforms: list[PlatformSpec]) -> list[dg.AssetSpec]:
    """`posts` and `collection_status`: written by every collector run, materialised by none of their own."""
    counters = [platform_asset_key(p.platform, "counters") for p in platforms]
    insights = [platform_asset_key(p.platform, "insights") for p in platforms]
    return [
        dg.AssetSpec(
            POSTS_KEY,
            deps=counters,
            description=POSTS.description,
            group_name="collection",
            kinds={"deltalake"},
            owners=["team:metrics"],
            metadata=table_metadata(POSTS),
        ),
        dg.AssetSpec(
            STATUS_KEY,
            deps=[*counters, *insights],
            description=COLLECTION_STATUS.description,
            group_name="collection",
            kinds={"deltalake"},
            owners=["team:metrics"],
            metadata=table_metadata(COLLECTION_STATUS),
        ),
    ]
