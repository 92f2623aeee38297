"""What the lake keeps of first-party content: attributes, events, and what is counted from them."""

from __future__ import annotations

from metrics_pipeline.lake.table_spec import ColumnType, TableSpec, columns_of

Group = tuple[tuple[str, ColumnType, str], ...]

WORKSPACE: Group = (("workspace_id", "string", "The tenant the row belongs to."),)
CONTENT_KEY: Group = (
    ("content_id", "string", "Content item, as the application names it."),
    ("creator_id", "string", "Who published it; null where no event and no attributes say so."),
)

CONTENT = TableSpec(
    "content",
    "One content item with its latest known attributes. Optional: without a row its age starts with its first event.",
    columns_of(
        WORKSPACE,
        CONTENT_KEY,
        (
            ("content_type", "string", "The application's own kind: video, short, article, ..."),
            ("caption", "string", "Title or caption, shortened."),
            ("thumbnail_url", "string", "Address of a preview picture."),
            ("duration_seconds", "double", "Length."),
            ("published_at", "timestamp", "When it went live."),
            ("deleted_at", "timestamp", "When it was taken down; its numbers stay."),
            ("updated_at", "timestamp", "When these attributes were given."),
            ("metadata", "string", "Further attributes as JSON."),
        ),
    ),
    partition_by=(),
    keys=("workspace_id", "content_id"),
    sort_by=("workspace_id", "content_id"),
)

_EVENT: Group = (
    ("event_id", "string", "Unique within the workspace; made by the server where the client gave none."),
    ("event_type", "string", "impression, view_start, view_progress, view_complete, swipe_away, like, follow, ..."),
    ("content_id", "string", "Content item; null for follow and unfollow."),
    ("creator_id", "string", "Creator of the content, or who is followed."),
    ("user_id", "string", "Signed-in person; null for anonymous ones."),
    ("session_id", "string", "Session of the client."),
    ("viewer_hash", "bigint", "64-bit hash of the person, else of the session: what distinct viewers are counted by."),
    ("event_ts", "timestamp", "When it happened, on the server's clock; the partition is its UTC day."),
    ("client_ts", "timestamp", "When it happened, on the client's clock."),
    ("sent_at", "timestamp", "When it was sent, on the client's clock."),
    ("received_at", "timestamp", "When the server received it."),
    ("ts_source", "string", "client, corrected (by the client's skew), received, or clamped_future."),
    ("skew_ms", "bigint", "How far the client's clock was found to be off."),
    ("watch_time", "double", "Seconds watched since the last event of the view."),
    ("total_watch_time", "double", "Seconds watched in the view so far."),
    ("progress", "double", "Furthest position as a share, 0 to 1."),
    ("duration", "double", "Length of the content in seconds, as the client knows it."),
    ("completion_percent", "double", "Furthest position in percent; above 100 means loops."),
    ("is_rewatch", "boolean", "Whether the viewer had seen it before."),
    ("loop_count", "int", "Loops of the view so far."),
    ("source_type", "string", "Where it was found: for_you, following, profile, hashtag, search, direct, ..."),
    ("referrer", "string", "Referrer."),
    ("entry_point", "string", "Entry point."),
    ("campaign", "string", "Campaign."),
    ("device_type", "string", "mobile, tablet, desktop or tv."),
    ("device_platform", "string", "ios, android or web."),
    ("device_model", "string", "Device model."),
    ("device_os", "string", "Operating system."),
    ("app_version", "string", "Version of the application."),
    ("screen_size", "string", "Screen size."),
    ("country", "string", "ISO 3166 country."),
    ("region", "string", "Region."),
    ("city", "string", "City; only with consent."),
    ("timezone", "string", "Time zone of the client."),
    ("latitude", "double", "Only with consent."),
    ("longitude", "double", "Only with consent."),
    ("location_consent", "boolean", "Whether the person agreed to a precise location."),
    ("network_type", "string", "wifi, 4g, ..."),
    ("network_quality", "string", "good, poor, ..."),
    ("age_group", "string", "Age group of the viewer."),
    ("gender", "string", "Gender of the viewer."),
    ("is_bot", "boolean", "A crawler or script: kept, and left out of the counts."),
    ("bot_reason", "string", "Which rule says so."),
)

EVENTS = TableSpec(
    "events",
    "One accepted content event, in the partition of the day it happened. Every event id once per workspace.",
    columns_of(
        WORKSPACE,
        (("date", "date", "UTC day of event_ts."),),
        _EVENT,
        (
            ("origin", "string", "api or import."),
            ("import_id", "string", "The import that brought it."),
            ("sequence", "bigint", "Place in the inbox it came through; null for imports."),
        ),
    ),
    partition_by=("date",),
    keys=("workspace_id", "event_id"),
    sort_by=("workspace_id", "content_id", "session_id", "event_ts"),
    day_column="date",
    people_column="viewer_hash",
    log_statistics=("workspace_id", "event_ts"),
)

REJECTED_EVENTS = TableSpec(
    "rejected_events",
    "One refused event with the reason: what was sent, so that it can be mended and sent again. Kept like raw events. "
    "A status of a message whose account nobody has stands here without a workspace.",
    columns_of(
        WORKSPACE,
        (
            ("date", "date", "UTC day it was received."),
            ("received_at", "timestamp", "When the server received it."),
            ("event_id", "string", "The id it carried, if any."),
            ("user_id", "string", "The person it names, so that an erasure finds it."),
            ("code", "string", "Why: missing_field, unknown_type, too_old, ..."),
            ("detail", "string", "In words; never the value itself."),
            ("pointer", "string", "JSON pointer to what is wrong."),
            ("payload", "string", "The event as it came, as JSON."),
            ("origin", "string", "api, import, or webhook for statuses of messages."),
            ("import_id", "string", "The import that brought it."),
            ("sequence", "bigint", "Place in the inbox it came through; null for imports."),
        ),
    ),
    partition_by=("date",),
    keys=("workspace_id", "received_at", "sequence", "event_id", "import_id"),
    sort_by=("workspace_id", "received_at"),
    day_column="date",
    people_column="user_id",
    log_statistics=("workspace_id", "received_at"),
)


def _counts(*names: tuple[str, str]) -> Group:
    return tuple((name, "bigint", meaning) for name, meaning in names)


# Additive over hours, days and contents. Views and everything of a view stand in the hour of its view_start.
CONTENT_COUNTS: Group = (
    *_counts(
        ("impressions", "Times it was shown."),
        ("feed_impressions", "Of these, in a feed: for_you or following."),
        ("swiped_away", "Times it was swiped away."),
        ("views", "Views begun."),
        ("views_with_progress", "Of these, with any progress reported."),
    ),
    ("watch_time_seconds", "double", "Seconds watched in the views begun here."),
    *_counts(
        ("completed_full", "Views watched to 99 % or more, or completed."),
        ("over_75", "Views that got to 75 and not to 99 %."),
        ("over_50", "Views that got to 50 and not to 75 %."),
        ("over_25", "Views that got to 25 and not to 50 %."),
        ("under_25", "Views that got less far."),
        ("likes", "Likes given."),
        ("unlikes", "Likes taken back."),
        ("comments", "Comments."),
        ("shares", "Shares."),
        ("saves", "Saves."),
        ("unsaves", "Saves taken back."),
        ("duets", "Duets made with it."),
        ("stitches", "Stitches made with it."),
        ("sound_uses", "Uses of its sound."),
        ("reports", "Reports."),
        ("hides", "Times it was hidden."),
        ("not_interested", "Times it was marked as not interesting."),
        ("follows", "Follows of its creator from it."),
        ("unfollows", "Unfollows of its creator from it."),
        ("rewatches", "Views by someone who had seen it before."),
        ("loops", "Loops within views."),
        ("pauses", "Pauses."),
        ("resumes", "Resumes."),
        ("seeks", "Jumps within it."),
        ("views_organic", "Views that came from recommendations."),
        ("views_following", "Views from the feed of followed creators."),
        ("views_profile", "Views from a profile."),
        ("views_hashtag", "Views from a hashtag."),
        ("views_search", "Views from search."),
        ("views_direct", "Views by a direct link."),
        ("views_other", "Views from elsewhere, or nobody said where from."),
        ("views_mobile", "Views on phones."),
        ("views_tablet", "Views on tablets."),
        ("views_desktop", "Views on computers."),
        ("views_tv", "Views on television sets."),
        ("views_ios", "Views on iOS."),
        ("views_android", "Views on Android."),
        ("views_web", "Views in a browser."),
    ),
)

CONTENT_HOURLY = TableSpec(
    "content_hourly",
    "What happened to one content item in one UTC hour; additive. Bots are left out.",
    columns_of(
        (("date", "date", "UTC day."), ("hour", "int", "UTC hour, 0 to 23.")), WORKSPACE, CONTENT_KEY, CONTENT_COUNTS
    ),
    partition_by=("date", "hour"),
    keys=("date", "hour", "workspace_id", "content_id"),
    sort_by=("workspace_id", "content_id"),
    day_column="date",
)

CONTENT_DAILY = TableSpec(
    "content_daily",
    "What happened to one content item on one UTC day, with its exact number of distinct viewers. Bots are left out.",
    columns_of(
        (("date", "date", "UTC day."),),
        WORKSPACE,
        CONTENT_KEY,
        CONTENT_COUNTS,
        (("unique_viewers", "bigint", "Distinct people who viewed it on that day; never to be summed."),),
    ),
    partition_by=("date",),
    keys=("date", "workspace_id", "content_id"),
    sort_by=("workspace_id", "content_id"),
    day_column="date",
)

CONTENT_AUDIENCE_DAILY = TableSpec(
    "content_audience_daily",
    "Views and distinct viewers of one content item on one day, by one value of one dimension.",
    columns_of(
        (("date", "date", "UTC day."),),
        WORKSPACE,
        CONTENT_KEY,
        (
            ("dimension", "string", "country, city, age_group, gender, device_type, device_platform or source."),
            ("value", "string", "The dimension's value; unknown where nobody said."),
            ("views", "bigint", "Views begun."),
            ("watch_time_seconds", "double", "Seconds watched in them."),
            ("unique_viewers", "bigint", "Distinct people; never to be summed."),
        ),
    ),
    partition_by=("date",),
    keys=("date", "workspace_id", "content_id", "dimension", "value"),
    sort_by=("workspace_id", "content_id", "dimension", "value"),
    day_column="date",
)

VIEWER_DAYS = TableSpec(
    "viewer_days",
    "Who viewed what on which day, once: distinct viewers of any range of days and contents are counted from it. "
    "Person-level: kept as long as raw events.",
    columns_of(
        (("date", "date", "UTC day."),),
        WORKSPACE,
        CONTENT_KEY,
        (
            ("viewer_hash", "bigint", "The person, else the session."),
            ("views", "bigint", "Views begun."),
            ("watch_time_seconds", "double", "Seconds watched in them."),
        ),
    ),
    partition_by=("date",),
    keys=("date", "workspace_id", "content_id", "viewer_hash"),
    sort_by=("workspace_id", "creator_id", "content_id", "viewer_hash"),
    day_column="date",
    people_column="viewer_hash",
    log_statistics=("workspace_id",),
)

VIEW_TIMES_DAILY = TableSpec(
    "view_times_daily",
    "How long views of one content item lasted on one day: a histogram whose buckets grow by about 2 %, so that a "
    "median over any range is a sum away and within 1 % of the truth.",
    columns_of(
        (("date", "date", "UTC day."),),
        WORKSPACE,
        CONTENT_KEY,
        (
            ("bucket", "int", "ceil(ln(seconds) / ln(1.01 / 0.99)); null for views without watch time."),
            ("views", "bigint", "Views of that length."),
        ),
    ),
    partition_by=("date",),
    keys=("date", "workspace_id", "content_id", "bucket"),
    sort_by=("workspace_id", "content_id", "bucket"),
    day_column="date",
)

EVENT_TABLES = (
    CONTENT,
    EVENTS,
    REJECTED_EVENTS,
    CONTENT_HOURLY,
    CONTENT_DAILY,
    CONTENT_AUDIENCE_DAILY,
    VIEWER_DAYS,
    VIEW_TIMES_DAILY,
)
