"""Two ways to the same number, and how far they lie apart."""

from __future__ import annotations

from metrics_pipeline.lake.table_spec import TENANT, TableSpec, columns_of

RECONCILIATIONS = TableSpec(
    "reconciliations",
    "One comparison of two ways to the same number: posts and their account, accounts and their workspace, "
    "days and their week or month, days and a platform's own window, the application's messages and WhatsApp's.",
    columns_of(
        (("date", "date", "The day, or the first day of the week or month."),),
        TENANT,
        (
            (
                "comparison",
                "string",
                "posts_and_account, accounts_and_workspace, days_and_period, days_and_window or "
                "application_and_platform.",
            ),
            ("grain", "string", "day, week or month."),
            ("entity_type", "string", "What was compared: account, workspace, post, campaign, content or creator."),
            ("entity_id", "string", "Its id; null where all of a kind are compared together (days_and_period)."),
            ("metric", "string", "Canonical metric."),
            ("compared", "bigint", "Posts, accounts or series that were compared."),
            ("differing", "bigint", "Comparisons that are not equal."),
            ("value", "double", "The number as it is published: account, workspace, period, or the application's."),
            (
                "against",
                "double",
                "The other way to it: sum of posts, accounts or days, the broken bound, WhatsApp's.",
            ),
            ("absolute_drift", "double", "Sum of the absolute differences: opposite ones do not cancel each other."),
            ("relative_drift", "double", "absolute_drift / the larger of both; null where both are 0 and yet differ."),
            ("is_exact", "boolean", "Both come from the same rows: any difference is an error."),
            (
                "is_judged",
                "boolean",
                "Whether they should meet; of posts and their account the drift is a measure.",
            ),
            ("is_complete", "boolean", "Both sides were complete; else a difference says nothing yet."),
            ("state", "string", "equal, within_tolerance, differs (not judged), incomplete or drift."),
        ),
    ),
    partition_by=("date",),
    keys=("date", "workspace_id", "platform", "comparison", "grain", "entity_type", "entity_id", "metric"),
    sort_by=("workspace_id", "platform", "comparison", "grain", "entity_type", "entity_id", "metric"),
    day_column="date",
)

REALTIME_RECONCILIATIONS = TableSpec(
    "realtime_reconciliations",
    "One bucket of a real-time metric that did not hold what the stored events say; a comparison without a difference "
    "leaves no row.",
    columns_of(
        (
            ("date", "date", "UTC day of the bucket."),
            ("workspace_id", "string", "The tenant the row belongs to."),
            ("metric", "string", "Real-time metric that events feed."),
            ("labels", "string", "Labels of the series, as a JSON list of names and values."),
            ("width_seconds", "int", "Length of the bucket: 60 or 3600."),
            ("bucket", "timestamp", "Start of the bucket, by received_at."),
            ("realtime_value", "double", "What the bucket held: sum, values of a histogram, or distinct ones."),
            ("source_value", "double", "The same, counted from the stored events."),
            ("drift", "double", "realtime_value - source_value; 0 where they differ in another way."),
            ("fields_differing", "int", "Parts of the bucket that differ, such as counts of a histogram."),
            (
                "action",
                "string",
                "repaired: the bucket holds the source's now; filled: so too, from before counting began; erased: so "
                "too, less events of people who were erased; refused: its metric has another type.",
            ),
            ("compared_at", "timestamp", "When the run compared."),
            ("run_id", "string", "The run that compared."),
        ),
    ),
    partition_by=("date",),
    keys=("run_id", "workspace_id", "metric", "labels", "width_seconds", "bucket"),
    sort_by=("workspace_id", "metric", "labels", "width_seconds", "bucket"),
    day_column="date",
)
