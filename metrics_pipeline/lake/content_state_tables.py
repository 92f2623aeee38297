"""What the lake keeps of the present state of content: totals of closed days, and every figure on top of them."""

from __future__ import annotations

from metrics_pipeline.lake.audience_tables import AUDIENCE_TABLES
from metrics_pipeline.lake.event_tables import CONTENT_COUNTS, CONTENT_KEY, WORKSPACE, Group
from metrics_pipeline.lake.table_spec import TableSpec, columns_of

_LIFE: Group = (
    ("first_date", "date", "First day with anything."),
    ("last_date", "date", "Last day with anything."),
)
_PEAK: Group = (
    ("peak_views", "bigint", "The most views that 24 consecutive hours saw."),
    ("peak_at", "timestamp", "End of the first such span."),
)

CONTENT_TOTALS = TableSpec(
    "content_totals",
    "Everything a content item gathered up to through_date, a day that no event can reach any more: content_metrics "
    "adds the newer days, so that its cost does not grow with history.",
    columns_of(
        WORKSPACE, CONTENT_KEY, _LIFE, CONTENT_COUNTS, _PEAK, (("through_date", "date", "Last day that is counted."),)
    ),
    partition_by=(),
    keys=("workspace_id", "content_id"),
    sort_by=("workspace_id", "content_id"),
)

VIEW_TIMES_TOTALS = TableSpec(
    "view_times_totals",
    "How long views of one content item lasted, up to the day that content_totals counts to.",
    columns_of(
        WORKSPACE,
        (
            ("content_id", "string", "Content item, as the application names it."),
            ("bucket", "int", "As in view_times_daily."),
            ("views", "bigint", "Views of that length."),
        ),
    ),
    partition_by=(),
    keys=("workspace_id", "content_id", "bucket"),
    sort_by=("workspace_id", "content_id", "bucket"),
)

CONTENT_AGES = TableSpec(
    "content_ages",
    "How views of one content item came with its age, up to the day that content_totals counts to; only of items whose "
    "every hour is kept. What items of the same age are compared by.",
    columns_of(
        WORKSPACE,
        (
            ("content_id", "string", "Content item, as the application names it."),
            ("exists_since", "timestamp", "What its age is counted from."),
            ("age_hours", "bigint", "1 to 48, from there on in steps of 24."),
            ("views", "bigint", "Views begun up to that age, and after the step before it."),
            ("through_date", "date", "Last day that is counted."),
        ),
    ),
    partition_by=(),
    keys=("workspace_id", "content_id", "age_hours"),
    sort_by=("workspace_id", "content_id", "age_hours"),
)

CONTENT_VIEWERS = TableSpec(
    "content_viewers",
    "How many distinct people ever viewed one content item. Counted hourly, where viewers have changed.",
    columns_of(
        WORKSPACE,
        (
            ("content_id", "string", "Content item, as the application names it."),
            ("unique_viewers", "bigint", "Distinct people; never to be summed."),
            ("counted_at", "timestamp", "When they were counted."),
            ("approximate", "boolean", "Viewers of days that are no longer kept are among them: an estimate."),
            ("error_bound", "double", "Relative error of an estimate in 95 of 100 cases."),
        ),
    ),
    partition_by=(),
    keys=("workspace_id", "content_id"),
    sort_by=("workspace_id", "content_id"),
)

CONTENT_METRICS = TableSpec(
    "content_metrics",
    "The present state of one content item: lifetime totals, rates, velocity, trend, quality and rank. Columns that "
    "end in _v1 follow the first formulas to the letter.",
    columns_of(
        WORKSPACE,
        CONTENT_KEY,
        _LIFE,
        CONTENT_COUNTS,
        (
            ("content_type", "string", "The application's own kind."),
            ("published_at", "timestamp", "When it went live, where the attributes say so."),
            ("age_is_assumed", "boolean", "No attributes: its age starts with its first day."),
            ("deleted_at", "timestamp", "When it was taken down."),
            ("hours_existed", "bigint", "Complete hours since then."),
            (
                "unique_viewers",
                "bigint",
                "Distinct people who ever viewed it; null until counted.",
            ),
            ("average_watch_time", "double", "Seconds watched per view."),
            ("median_watch_time", "double", "Median seconds of a view, within 1 %."),
            ("completion_rate", "double", "Mean of 1, 0.75, 0.5, 0.25, 0 over views with progress."),
            ("engagement_rate", "double", "(Net likes + comments + shares + net saves) / views."),
            ("engagement_rate_v1", "double", "(Likes + comments + shares) / views."),
            ("share_rate", "double", "Shares / views."),
            ("rewatch_rate", "double", "Rewatches / distinct viewers."),
            ("views_24h", "bigint", "Views of the last 24 complete hours."),
            ("engagement_24h", "bigint", "Likes, comments and shares of the last 24 complete hours."),
            ("shares_24h", "bigint", "Shares of the last 24 complete hours."),
            ("views_before", "bigint", "Views of the 24 hours before those."),
            ("views_per_hour", "double", "Of the last 24 complete hours, per hour it existed."),
            ("engagement_per_hour", "double", "The same of likes, comments and shares."),
            ("shares_per_hour", "double", "The same of shares."),
            ("views_per_hour_v1", "double", "Views of the last 24 complete hours / 24."),
            ("peak_views_per_hour", "double", "The most views of 24 consecutive hours / 24."),
            ("peak_at", "timestamp", "End of the first such span."),
            ("trend", "string", "rising, declining, stable, new (under 24 hours) or no_data."),
            ("trend_v1", "string", "rising above 1.2, declining below 0.8 times the day before, else stable."),
            ("trend_z", "double", "How far the day is from the expected one, in standard deviations."),
            ("expected_views", "double", "Views expected: the day before, times how the workspace's day differs."),
            ("is_trending", "boolean", "Rising, and above the floor of views per hour (METRICS_TRENDING_FLOOR)."),
            ("is_trending_v1", "boolean", "Rising by version 1 and at least 100 views per hour."),
            (
                "trending_score",
                "double",
                "Volume decayed by half in 6 hours, times trend_z: the order of trending.",
            ),
            ("quality_score", "double", "0 to 100 on rates drawn to the workspace's; null under 5 views."),
            ("quality_confidence", "double", "Share of the item's own views in its rates, 0 to 1."),
            ("quality_score_v1", "double", "0 to 100 on raw rates; null without views."),
            ("vs_creator_average", "double", "Quality / average quality of the creator's items."),
            ("vs_platform_average", "double", "Quality / average quality of the workspace's items."),
            ("rank", "double", "Share of the workspace's items with a lower quality, 0 to 1."),
            ("rank_position", "bigint", "Place by quality in the workspace, 1 is best."),
            ("age_matched_views", "double", "Views that the creator's other items had at its age: a trimmed mean."),
            ("age_matched_items", "bigint", "How many items that is the mean of; null where hours are not kept."),
            ("vs_age_matched", "double", "Its views at that age / age_matched_views; null under three items."),
            ("approximate", "boolean", "unique_viewers is an estimate."),
            ("error_bound", "double", "Relative error of an estimate in 95 of 100 cases."),
            ("computed_at", "timestamp", "When this state was computed."),
        ),
    ),
    partition_by=(),
    keys=("workspace_id", "content_id"),
    sort_by=("workspace_id", "content_id"),
)

CONTENT_STATE_TABLES = (
    CONTENT_TOTALS,
    VIEW_TIMES_TOTALS,
    CONTENT_AGES,
    CONTENT_VIEWERS,
    CONTENT_METRICS,
    *AUDIENCE_TABLES,
)
