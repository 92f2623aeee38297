"""What is known of a workspace and of each of its accounts in a period, as one row."""

from __future__ import annotations

from metrics_pipeline.lake.table_spec import TableSpec, columns_of

ANALYTICS_SNAPSHOTS = TableSpec(
    "analytics_snapshots",
    "Everything known of one account, or of a whole workspace, in one day, week or month, as one JSON document: see "
    "docs/snapshots.md. Made of daily_metrics, weekly_metrics and monthly_metrics.",
    columns_of(
        (
            ("snapshot_type", "string", "daily, weekly or monthly."),
            ("date", "date", "First day of the period."),
            ("workspace_id", "string", "The tenant the row belongs to."),
            ("account_id", "string", "The account; null for the whole workspace."),
            (
                "metrics",
                "string",
                "JSON object {messages, campaigns, contacts, conversations, platforms}, each metric an object with its "
                "value, or null and the reason.",
            ),
            ("generated_at", "timestamp", "When the row was made; a period that comes out as it was keeps it."),
            (
                "completeness",
                "double",
                "metrics_complete / metrics_expected, 0 to 1; null where nothing is expected.",
            ),
            ("metrics_expected", "bigint", "Metrics but for those that cannot be had (state not_supported)."),
            ("metrics_present", "bigint", "Of these, how many have a value."),
            ("metrics_complete", "bigint", "Of these, how many are complete."),
            ("is_complete", "boolean", "Every metric that is expected is complete."),
            ("is_provisional", "boolean", "A metric of it may still be restated."),
            ("last_read_at", "timestamp", "Newest reading behind any of its values."),
        )
    ),
    partition_by=("snapshot_type", "date"),
    keys=("snapshot_type", "date", "workspace_id", "account_id"),
    sort_by=("workspace_id", "account_id"),
    day_column="date",
    stamps=("generated_at",),
)
