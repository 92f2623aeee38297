"""What one would write by hand over the files of an event day: the yardsticks of benchmarks/event_day.py.

A counts and knows nothing of views. B follows views as leanly as one statement can: it takes for granted that no
session views an item twice, that no id is stored twice, that no progress comes before its view_start or a day after it,
and that durations are told by the events. Both keep their rows in DuckDB and write nothing.
"""

from __future__ import annotations

from metrics_pipeline.lake.connect import attach_table, connect_duckdb
from metrics_pipeline.lake.event_tables import EVENTS
from metrics_pipeline.lake.lake import Lake

_HOUR = "extract(hour from event_ts)"


def _counts(column: str, values: tuple[str, ...], condition: str = "") -> str:
    return ", ".join(f"""count(*) filter (where {condition}{column} = '{v}') as "{column} {v}\"""" for v in values)


_SOME = _counts(
    "event_type",
    ("impression", "view_start", "view_complete", "swipe_away", "like", "unlike", "comment", "share", "save", "unsave",
     "report", "hide", "follow", "pause", "resume", "seek"),
)  # fmt: skip

A = (
    f"select date, {_HOUR}, workspace_id, content_id, {_SOME}, sum(watch_time) from events where not is_bot "
    "group by all",
    f"select date, workspace_id, content_id, {_SOME}, sum(watch_time), "
    "count(distinct viewer_hash) filter (where event_type = 'view_start') from events where not is_bot group by all",
)

_ALL = _counts(
    "event_type",
    ("impression", "view_start", "swipe_away", "like", "unlike", "comment", "share", "save", "unsave", "duet", "stitch",
     "sound_use", "report", "hide", "not_interested", "follow", "unfollow", "pause", "resume", "seek"),
)  # fmt: skip
_VIEW = "event_type = 'view_start' and "
_OF_VIEWS = ", ".join(
    (
        _counts("source_type", ("for_you", "following", "profile", "hashtag", "search", "direct", "mail"), _VIEW),
        _counts("device_type", ("mobile", "tablet", "desktop", "tv"), _VIEW),
        _counts("device_platform", ("ios", "android", "web"), _VIEW),
        f"count(*) filter (where {_VIEW}is_rewatch) as rewatches",
        "count(*) filter (where event_type = 'impression' and source_type in ('for_you', 'following')) as in_feed",
    )
)

B = f"""
with
sessions as (
    select
        workspace_id, session_id, content_id,
        min(event_ts) filter (where event_type = 'view_start') as started_at,
        max(viewer_hash) as viewer_hash,
        max(coalesce(completion_percent, progress * 100)) as told,
        bool_or(event_type = 'view_complete') as is_completed,
        greatest(max(loop_count), count(*) filter (where event_type = 'loop'), 0) as loops,
        coalesce(max(total_watch_time), sum(watch_time), 0) as seconds,
        max(duration) as duration
    from events
    where not is_bot
        and event_type in ('view_start', 'view_progress', 'view_complete', 'loop', 'pause', 'resume', 'swipe_away')
    group by workspace_id, session_id, content_id
),
views as (
    select
        *,
        extract(hour from started_at) as hour,
        case when is_completed then greatest(told, 100) else told end as furthest,
        least(seconds, (loops + 1) * duration) as watch_time
    from sessions
    where started_at is not null
),
watched as (
    select
        workspace_id, content_id, hour,
        count(furthest) as views_with_progress,
        sum(watch_time) as watch_time,
        count(*) filter (where furthest >= 99) as completed,
        count(*) filter (where furthest >= 75 and furthest < 99) as over_75,
        count(*) filter (where furthest >= 50 and furthest < 75) as over_50,
        count(*) filter (where furthest >= 25 and furthest < 50) as over_25,
        count(*) filter (where furthest < 25) as under_25,
        sum(loops) as loops
    from views
    group by workspace_id, content_id, hour
),
hours as (
    select {_HOUR} as hour, workspace_id, content_id, max(creator_id) as creator_id, {_ALL}, {_OF_VIEWS}
    from events
    where not is_bot and event_type not in ('view_progress', 'view_complete', 'loop')
    group by {_HOUR}, workspace_id, content_id
),
uniques as (
    select workspace_id, content_id, count(distinct viewer_hash) as unique_viewers
    from views
    group by workspace_id, content_id
)
select *
from hours
left join watched using (workspace_id, content_id, hour)
left join uniques using (workspace_id, content_id)
"""


def run_statements(lake: Lake, *statements: str) -> None:
    """Run hand-written statements over the files of the events table."""
    connection = connect_duckdb()
    attach_table(connection, EVENTS, lake.table("events"))
    for n, statement in enumerate(statements):
        connection.execute(f"create temp table bare_{n} as {statement}")
