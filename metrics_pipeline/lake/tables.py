"""One specification per lake table: used to create it, to describe it in Dagster, and to document it."""

from __future__ import annotations

from metrics_pipeline.lake.account_tables import ACCOUNT_HISTORY
from metrics_pipeline.lake.anomaly_tables import ANOMALIES
from metrics_pipeline.lake.application_tables import APPLICATION_READS, APPLICATION_TABLES
from metrics_pipeline.lake.content_state_tables import CONTENT_STATE_TABLES
from metrics_pipeline.lake.custom_metric_tables import CUSTOM_METRIC_VALUES
from metrics_pipeline.lake.event_tables import EVENT_TABLES
from metrics_pipeline.lake.messaging_tables import MESSAGING_TABLES
from metrics_pipeline.lake.reconciliation_tables import REALTIME_RECONCILIATIONS, RECONCILIATIONS
from metrics_pipeline.lake.snapshot_tables import ANALYTICS_SNAPSHOTS
from metrics_pipeline.lake.table_spec import TENANT, ColumnType, TableSpec, columns_of

_READING: tuple[tuple[str, ColumnType, str], ...] = (
    ("account_id", "string", "Account within the workspace."),
    ("post_id", "string", "Post as the platform names it; null at account level."),
    ("metric", "string", "Canonical metric of the catalogue."),
    ("source_metric", "string", "The metric as the platform names it."),
    ("value", "double", "The number, in the catalogue's unit."),
    ("numerator", "double", "Numerator of a ratio, where it can be had."),
    ("denominator", "double", "Denominator of a ratio, where it can be had."),
    ("source", "string", "fetched or import."),
    ("api", "string", "The platform API that answered."),
    ("post_type", "string", "The platform's own kind of post."),
    ("day_timezone", "string", "Zone whose calendar day the platform counted."),
    ("definition_version", "int", "Counts changes of what the platform means by the metric."),
    ("metadata", "string", "Further facts as JSON."),
    ("import_id", "string", "The import that brought the row; null if fetched."),
    ("run_id", "string", "The run that wrote the row."),
)

API_RESPONSES = TableSpec(
    "api_responses",
    "One response of a platform as it was received, with the request that led to it; never a token.",
    columns_of(
        TENANT,
        (
            ("date", "date", "UTC day the response was received."),
            ("account_id", "string", "Account the request was made for."),
            ("collection", "string", "counters or insights."),
            ("window_start", "timestamp", "Start of the window that was asked for."),
            ("window_end", "timestamp", "End (exclusive) of the window that was asked for."),
            ("method", "string", "HTTP method."),
            ("endpoint", "string", "Path of the request."),
            ("params", "string", "Query parameters as JSON, without secrets."),
            ("status", "int", "HTTP status."),
            ("api_version", "string", "API version that really answered, where the platform says so."),
            ("asked_at", "timestamp", "The instant that the account's turn asked about; a replay asks about it again."),
            ("post_hours", "int", "Posts younger than so many hours were due, 0 for none; a replay reads these again."),
            ("only_posts", "string", "The posts that alone were asked for, as a JSON list; null for a whole account."),
            ("sequence", "int", "Place of the response in its account's turn, from 0."),
            ("received_at", "timestamp", "When the response arrived."),
            ("body", "string", "Body as received, secrets removed."),
            ("run_id", "string", "The run that asked."),
        ),
    ),
    partition_by=("platform", "date"),
    keys=("workspace_id", "account_id", "endpoint", "params", "received_at", "run_id"),
    sort_by=("workspace_id", "account_id", "received_at"),
    day_column="date",
)

COUNTER_READINGS = TableSpec(
    "counter_readings",
    "One lifetime counter or gauge of an account or a post as seen at observed_at. A past hour cannot be observed.",
    columns_of(
        TENANT,
        (
            ("date", "date", "UTC day the reading stands for."),
            ("hour", "int", "UTC hour the reading stands for, 0 to 23."),
            ("kind", "string", "counter, unique_counter or gauge."),
            ("observed_at", "timestamp", "When the platform was asked."),
        ),
        _READING,
    ),
    partition_by=("platform", "date"),
    keys=("workspace_id", "account_id", "post_id", "metric", "source_metric", "observed_at", "source"),
    sort_by=("workspace_id", "account_id", "post_id", "metric", "observed_at"),
    day_column="date",
)

INSIGHT_READINGS = TableSpec(
    "insight_readings",
    "One value of a platform's own series for a measured day, as read at read_at. "
    "Logically append-only: a re-read adds a row only where the value changed, else it moves confirmed_at.",
    columns_of(
        TENANT,
        (
            ("date", "date", "Measured day; the last day of longer windows."),
            ("window", "string", "What the value covers: P1D, P7D or P1M (ISO 8601)."),
            ("read_at", "timestamp", "First time the platform gave this value."),
            ("confirmed_at", "timestamp", "Last time in a row it gave the same value."),
        ),
        _READING,
    ),
    partition_by=("platform", "date"),
    keys=("workspace_id", "account_id", "post_id", "metric", "source_metric", "date", "window", "read_at", "source"),
    sort_by=("workspace_id", "account_id", "post_id", "metric", "read_at"),
    day_column="date",
)

POSTS = TableSpec(
    "posts",
    "One post with its latest known attributes; deleted posts stay as tombstones.",
    columns_of(
        TENANT,
        (
            ("account_id", "string", "Account within the workspace."),
            ("post_id", "string", "Post as the platform names it."),
            ("post_type", "string", "The platform's own kind: post, carousel, reel, story, video, short, tweet."),
            ("published_at", "timestamp", "When the post went live."),
            ("title", "string", "Title or caption, shortened."),
            ("permalink", "string", "Public address of the post."),
            ("duration_seconds", "double", "Length of a video."),
            ("first_seen_at", "timestamp", "First time a run saw the post."),
            ("last_seen_at", "timestamp", "Last time a run saw the post."),
            ("deleted_at", "timestamp", "When a run found the post gone; null while it is there."),
            ("metadata", "string", "Further attributes as JSON."),
        ),
    ),
    partition_by=("platform",),
    keys=("workspace_id", "platform", "account_id", "post_id"),
    sort_by=("workspace_id", "account_id", "post_id"),
)

COLLECTION_STATUS = TableSpec(
    "collection_status",
    "What became of each metric of each account and measured day at the last attempt, and why.",
    columns_of(
        TENANT,
        (
            ("date", "date", "Measured day."),
            ("account_id", "string", "Account within the workspace."),
            ("collection", "string", "counters or insights."),
            ("level", "string", "account or post."),
            ("metric", "string", "Canonical metric."),
            ("window", "string", "What was asked for: P1D, or P7D and P1M for distinct people of a closed period."),
            ("state", "string", "value, zero, not_supported, not_permitted, failed, unknown."),
            ("reason", "string", "Why there is no value, in words."),
            ("error_class", "string", "What the error led to: retry, wait, reauth, permission, skip_metric, ..."),
            ("objects", "bigint", "Posts asked about; 1 at account level."),
            ("objects_ok", "bigint", "Of these, how many gave a value or zero."),
            ("last_read_at", "timestamp", "Last attempt."),
            ("last_value_at", "timestamp", "Last attempt that gave a value; null if none did."),
            ("run_id", "string", "The run of the last attempt."),
        ),
    ),
    partition_by=("platform", "date"),
    keys=("workspace_id", "platform", "account_id", "collection", "level", "metric", "window", "date"),
    sort_by=("workspace_id", "account_id", "level", "metric"),
    day_column="date",
)

_SERIES_KEY: tuple[tuple[str, ColumnType, str], ...] = (
    ("workspace_id", "string", "The tenant the row belongs to."),
    (
        "platform",
        "string",
        "Platform name; 'all' sums comparable ones, 'app' is what the application itself knows.",
    ),
    ("entity_type", "string", "workspace, account, post, content, creator or campaign."),
    ("entity_id", "string", "Its id."),
    ("account_id", "string", "The account of an account or post row; else null."),
    ("metric", "string", "Canonical metric."),
)

DAILY_METRICS = TableSpec(
    "daily_metrics",
    "One metric of one entity (workspace, account, post, content item, creator, campaign) on one UTC day "
    "partition: the table everything later reads.",
    columns_of(
        (("date", "date", "Measured day."),),
        _SERIES_KEY,
        (
            ("value", "double", "The day's value; null unless state is value or zero."),
            ("lifetime_value", "double", "The counter itself at the end of the day."),
            ("numerator", "double", "Numerator of a ratio; sums over days and entities."),
            ("denominator", "double", "Denominator of a ratio; sums over days and entities."),
            (
                "state",
                "string",
                "value, zero, not_supported, not_permitted, failed, stale, unknown, insufficient_data, no_components.",
            ),
            ("reason", "string", "Why there is no value, or what qualifies it."),
            ("source", "string", "series, counter, gauge, import, posts, accounts, events, application or derived."),
            ("is_complete", "boolean", "The day is over and everything the value needs was read."),
            ("is_provisional", "boolean", "The platform may still restate the day."),
            ("definition_version", "int", "Counts changes of what the platform means by the metric."),
            (
                "readings",
                "bigint",
                "Readings the value rests on: a counter needs its opening and its closing edge, others one.",
            ),
            ("readings_expected", "bigint", "Readings it should rest on."),
            ("days_spanned", "bigint", "Days a counter difference covers; more than 1 after a gap."),
            ("entities_present", "bigint", "Accounts or posts with a value, for values made of several."),
            ("entities_expected", "bigint", "Accounts or posts that should have one."),
            ("last_read_at", "timestamp", "Newest reading behind the value."),
            ("day_timezone", "string", "Zone whose calendar day was counted."),
            ("approximate", "boolean", "The value is an estimate."),
        ),
    ),
    partition_by=("date", "entity_type"),
    keys=("date", "workspace_id", "platform", "entity_type", "entity_id", "metric"),
    sort_by=("workspace_id", "platform", "entity_id", "metric"),
    day_column="date",
)

_PERIOD: tuple[tuple[str, ColumnType, str], ...] = (
    ("value", "double", "By the metric's additivity: sum, last value, own window reading, or ratio of sums."),
    ("total", "double", "Sum of days; additive metrics only."),
    ("daily_average", "double", "Mean over days present; additive and level metrics."),
    ("minimum", "double", "Smallest day."),
    ("maximum", "double", "Largest day."),
    ("first", "double", "Value of the first day that has one."),
    ("last", "double", "Value of the last day that has one."),
    ("previous_value", "double", "Value of the calendar-preceding period."),
    ("change", "double", "value - previous_value, whenever both exist."),
    ("growth_rate", "double", "Relative change; null where it would be meaningless, see growth_state."),
    (
        "growth_state",
        "string",
        "no_value, definition_changed, no_base, partial, negative_base, new_from_zero, flat_zero or ok.",
    ),
    ("compared_value", "double", "What the rate compares, where it is not value: comparable days or accounts."),
    ("compared_previous", "double", "What it is compared with."),
    ("compared_days", "bigint", "Day offsets present in both periods, for partial additive periods."),
    ("days_present", "bigint", "Days with a value."),
    ("days_expected", "bigint", "Calendar days of the period, also while it runs."),
    ("days_elapsed", "bigint", "Calendar days of the period that are over."),
    ("is_complete", "boolean", "The period is over and every day it needs is complete."),
    ("is_provisional", "boolean", "A day of it may still be restated."),
    ("definition_version", "int", "Definition in force at the end of the period."),
    ("reason", "string", "Why there is no value, or what qualifies it."),
    ("last_read_at", "timestamp", "Newest reading behind the value."),
    ("approximate", "boolean", "The value is an estimate."),
    ("error_bound", "double", "Relative error of an estimate."),
)

WEEKLY_METRICS = TableSpec(
    "weekly_metrics",
    "One metric of one entity per week, built from daily_metrics; a week belongs to its first day.",
    columns_of((("week_start", "date", "First day of the week."),), _SERIES_KEY, _PERIOD),
    partition_by=("week_start",),
    keys=("week_start", "workspace_id", "platform", "entity_type", "entity_id", "metric"),
    sort_by=("workspace_id", "platform", "entity_type", "entity_id", "metric"),
    day_column="week_start",
)

MONTHLY_METRICS = TableSpec(
    "monthly_metrics",
    "One metric of one entity per calendar month, built from daily_metrics.",
    columns_of(
        (("month_start", "date", "First day of the month."),),
        _SERIES_KEY,
        _PERIOD,
        (
            (
                "weekly_breakdown",
                "string",
                "JSON list of {week_start, from, to, value, days_present}, weeks clipped to the month; additive only.",
            ),
        ),
    ),
    partition_by=("month_start",),
    keys=("month_start", "workspace_id", "platform", "entity_type", "entity_id", "metric"),
    sort_by=("workspace_id", "platform", "entity_type", "entity_id", "metric"),
    day_column="month_start",
)

TABLES: dict[str, TableSpec] = {
    spec.name: spec
    for spec in (
        API_RESPONSES,
        COUNTER_READINGS,
        INSIGHT_READINGS,
        POSTS,
        ACCOUNT_HISTORY,
        COLLECTION_STATUS,
        DAILY_METRICS,
        WEEKLY_METRICS,
        MONTHLY_METRICS,
        ANALYTICS_SNAPSHOTS,
        ANOMALIES,
        RECONCILIATIONS,
        REALTIME_RECONCILIATIONS,
        CUSTOM_METRIC_VALUES,
        *EVENT_TABLES,
        *CONTENT_STATE_TABLES,
        *APPLICATION_TABLES,
        APPLICATION_READS,
        *MESSAGING_TABLES,
    )
}
