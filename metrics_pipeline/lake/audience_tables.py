"""What the lake keeps of people: who watched what on which day, and what stays of viewers after their days."""

from __future__ import annotations

from metrics_pipeline.lake.event_tables import CONTENT_KEY, WORKSPACE
from metrics_pipeline.lake.table_spec import TableSpec, columns_of

WATCH_DAYS = TableSpec(
    "watch_days",
    "What one signed-in person watched of one content item on one UTC day, and how they reacted to it: the source of "
    "the view watch_history. Reactions without a view have a row as well. Person-level: kept as long as raw events.",
    columns_of(
        (("date", "date", "UTC day."),),
        WORKSPACE,
        (("user_id", "string", "Signed-in person."),),
        CONTENT_KEY,
        (
            ("viewer_hash", "bigint", "The person, as in viewer_days."),
            ("views", "bigint", "Views begun."),
            ("watch_time_seconds", "double", "Seconds watched in them."),
            ("furthest_percent", "double", "How far the furthest of them got, 0 to 100; null without progress."),
            ("is_completed", "boolean", "One of them got to 99 % or more, or was completed."),
            ("first_watched_at", "timestamp", "When the first of them began."),
            ("last_watched_at", "timestamp", "When the last of them began."),
            ("likes", "bigint", "Likes given."),
            ("unlikes", "bigint", "Likes taken back."),
            ("saves", "bigint", "Saves."),
            ("unsaves", "bigint", "Saves taken back."),
            ("shares", "bigint", "Shares."),
            ("comments", "bigint", "Comments."),
            ("not_interested", "bigint", "Times it was marked as not interesting."),
            ("hides", "bigint", "Times it was hidden."),
            ("reports", "bigint", "Reports."),
        ),
    ),
    partition_by=("date",),
    keys=("date", "workspace_id", "user_id", "content_id"),
    sort_by=("workspace_id", "user_id", "content_id"),
    day_column="date",
    people_column="viewer_hash",
    log_statistics=("workspace_id",),
)

VIEWER_SKETCHES = TableSpec(
    "viewer_sketches",
    "The distinct viewers of one content item on days that viewer_days no longer holds, as a mergeable sketch "
    "without identifiers. Filled before viewer_days expires.",
    columns_of(
        WORKSPACE,
        (
            ("content_id", "string", "Content item, as the application names it."),
            ("sketch", "binary", "Apache DataSketches, compact serialised form."),
            ("sketch_kind", "string", "hll_4."),
            ("lg_k", "int", "Binary logarithm of its number of registers."),
            ("hash_version", "int", "Version of viewer_hash; sketches of different versions cannot be merged."),
            ("through_date", "date", "The last day whose viewers it holds."),
            ("viewers_version", "bigint", "Version of viewer_days that the newest of them were read from."),
        ),
    ),
    partition_by=(),
    keys=("workspace_id", "content_id"),
    sort_by=("workspace_id", "content_id"),
)

AUDIENCE_TABLES = (WATCH_DAYS, VIEWER_SKETCHES)
