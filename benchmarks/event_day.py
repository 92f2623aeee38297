"""A day of content events: how long its hours and its day take, and what one late event costs in a year of history.

Run with `make bench-event-day`; `--events 2000000` for a smaller day. The day is drawn from a seed and written by
DuckDB straight into the lake's events partition.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from metrics_pipeline.aggregation.build import Builder
from metrics_pipeline.aggregation.content import DAY_TABLES, ContentBuilder
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.lake.engine import Engine, attach_table, connect_duckdb
from metrics_pipeline.lake.event_tables import EVENTS
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window, midnight

DAY = date(2026, 3, 2)
NOW = midnight(DAY + timedelta(days=1))
REBUILT = ("content_hourly", *DAY_TABLES, "daily_metrics", "weekly_metrics", "monthly_metrics")
WORKSPACES, CONTENTS, VIEWERS = 20, 50_000, 1_000_000
BATCH_ROWS = 250_000

# Five events of a unit: an impression, a view, two reports of progress, and another impression or a reaction. The
# numbers between 0 and 1 are hashes of unit and purpose; content is watched the more, the smaller its number.
_EVENTS = """
with
drawn as (
    select
        i, i // 5 as unit, i % 5 as step,
        hash(16 * (i // 5) + 1 + $seed * 1000003) / 18446744073709551616.0 as a,
        hash(16 * (i // 5) + 2 + $seed * 1000003) / 18446744073709551616.0 as b,
        hash(16 * (i // 5) + 3 + $seed * 1000003) / 18446744073709551616.0 as c,
        hash(16 * (i // 5) + 4 + $seed * 1000003) / 18446744073709551616.0 as w,
        hash(16 * i + 5 + $seed * 1000003) / 18446744073709551616.0 as k
    from range($first, $end) as r (i)
),
units as (
    select
        *,
        cast(floor($contents * a * a * a) as bigint) as content,
        cast(floor($viewers * b) as bigint) as viewer,
        10 + cast(hash(floor($contents * a * a * a)) % 50 as bigint) as duration
    from drawn
)
select
    'workspace-' || content % $workspaces as workspace_id,
    $day as date,
    printf('%08x-%016x', unit, hash($seed, i)) as event_id,
    case step
        when 0 then 'impression'
        when 1 then 'view_start'
        when 2 then 'view_progress'
        when 3 then case when w > 0.9 then 'view_complete' else 'view_progress' end
        when 4 then case
            when k < 0.6 then 'impression' when k < 0.8 then 'swipe_away' when k < 0.92 then 'like'
            when k < 0.94 then 'comment' when k < 0.96 then 'share' when k < 0.98 then 'save' else 'pause'
        end
    end as event_type,
    'content-' || content as content_id,
    'creator-' || content % 2000 as creator_id,
    case when viewer % 3 > 0 then 'user-' || viewer end as user_id,
    'session-' || viewer || '-' || floor(c * 4) as session_id,
    cast(hash(viewer) >> 1 as bigint) as viewer_hash,
    cast($day as timestamptz) + to_microseconds(cast(86340e6 * c as bigint)) + to_seconds(step * 4) as event_ts,
    event_ts as client_ts,
    event_ts + interval 1 second as sent_at,
    event_ts + interval 2 second as received_at,
    'client' as ts_source,
    cast(0 as bigint) as skew_ms,
    case when step in (2, 3) then duration * w / 2 end as watch_time,
    case when step in (2, 3) then duration * w * (step - 1) / 2 end as total_watch_time,
    case when step in (2, 3) then w * (step - 1) / 2 end as progress,
    cast(duration as double) as duration,
    step = 1 and k < 0.1 as is_rewatch,
    ['for_you', 'for_you', 'following', 'profile', 'search', 'hashtag', 'direct', 'mail'][1 + viewer % 8]
        as source_type,
    ['mobile', 'mobile', 'mobile', 'tablet', 'desktop', 'tv'][1 + viewer % 6] as device_type,
    ['ios', 'android', 'web'][1 + viewer % 3] as device_platform,
    ['DE', 'FR', 'US', 'BR', 'IN', 'JP', 'NG', 'GB', 'ES', 'IT'][cast(1 + hash(viewer, 'c') % 10 as bigint)] as country,
    'city-' || hash(viewer, 'city') % 300 as city,
    ['18-24', '25-34', '35-44', '45+'][1 + viewer % 4] as age_group,
    ['female', 'male', 'other'][cast(1 + hash(viewer, 'g') % 3 as bigint)] as gender,
    hash(viewer, 'bot') % 100 = 0 as is_bot,
    'api' as origin,
    i as sequence
from units
order by workspace_id, content_id, session_id, event_ts
"""


def write_events(lake: Lake, day: date, events: int, seed: int) -> None:
    """Append a drawn day to the events table."""
    connection = connect_duckdb()
    sql_columns = ", ".join(
        f'cast("{c.name}" as {c.sql_type}) as "{c.name}"' if f" as {c.name}" in _EVENTS
        else f'cast(null as {c.sql_type}) as "{c.name}"'
        for c in EVENTS.columns
    )  # fmt: skip
    parameters = {
        "seed": seed, "first": 0, "end": events, "day": day,
        "contents": CONTENTS, "viewers": VIEWERS, "workspaces": WORKSPACES,
    }  # fmt: skip
    drawn = connection.sql(f"select {sql_columns} from ({_EVENTS})", params=parameters)
    reader = drawn.to_arrow_reader(BATCH_ROWS)
    lake.append("events", pa.RecordBatchReader.from_batches(EVENTS.schema, (b.cast(EVENTS.schema) for b in reader)))


# What one would write by hand over the same files: counts and distinct viewers per hour and per day, no views
# followed through their session, no repeated ids looked for.
_COUNTS = ", ".join(
    f"count(*) filter (where event_type = '{kind}')"
    for kind in (
        "impression", "view_start", "view_complete", "swipe_away", "like", "unlike", "comment", "share", "save",
        "unsave", "report", "hide", "follow", "pause", "resume", "seek",
    )
)  # fmt: skip
_BARE = (
    f"select date, extract(hour from event_ts), workspace_id, content_id, {_COUNTS}, sum(watch_time) "
    "from events where not is_bot group by all",
    f"select date, workspace_id, content_id, {_COUNTS}, sum(watch_time), "
    "count(distinct viewer_hash) filter (where event_type = 'view_start') from events where not is_bot group by all",
)


def seconds_of(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def bare_group_by(lake: Lake) -> None:
    """The hand-written statements, their rows kept in DuckDB."""
    connection = connect_duckdb()
    attach_table(connection, EVENTS, lake.table("events"))
    for n, statement in enumerate(_BARE):
        connection.execute(f"create temp table bare_{n} as {statement}")


def peak_gigabytes() -> float:
    """Most memory this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def whole_day(directory: Path, events: int, seed: int) -> None:
    """Time the hours and the day of one large day, in a process of its own so that its peak memory is its own."""
    lake = Lake(str(directory / "day"))
    lake.initialise()
    print(f"{events:,} events written              {seconds_of(lambda: write_events(lake, DAY, events, seed)):7.1f} s")
    builder, window = ContentBuilder(Engine(lake), catalog(), Settings()), Window.of_day(DAY)
    bare_group_by(lake)  # once to warm the page cache
    bare = seconds_of(lambda: bare_group_by(lake))
    print(f"bare group-by                      {bare:7.1f} s, peak {peak_gigabytes():.1f} GB")
    hourly = seconds_of(lambda: builder.hourly(window, NOW))
    print(f"content_hourly                     {hourly:7.1f} s, peak {peak_gigabytes():.1f} GB")
    daily = seconds_of(lambda: builder.daily(window, NOW))
    print(f"day tables, exact unique viewers   {daily:7.1f} s, peak {peak_gigabytes():.1f} GB")
    both = seconds_of(lambda: builder.days_and_hours(window, NOW))
    print(f"hours and day tables in one pass   {both:7.1f} s, {both / bare:.2f} x bare, peak {peak_gigabytes():.1f} GB")
    late = seconds_of(lambda: builder.hourly([NOW - timedelta(hours=12)], NOW))
    print(f"one hour of it                     {late:7.1f} s")


def one_late_event(directory: Path, seed: int) -> None:
    """A year of days with 2,000 events each, then one event 60 days late."""
    lake = Lake(str(directory / "year"))
    lake.initialise()
    for n in range(365):
        write_events(lake, DAY - timedelta(days=n), 2_000, seed + n)
    engine, settings = Engine(lake), Settings(events_days=366)
    content, builder = ContentBuilder(engine, catalog(), settings), Builder(engine, catalog(), settings)
    year = Window.of_days(DAY - timedelta(days=364), DAY + timedelta(days=1))

    def rebuild(hours: Window | list[datetime], days: Window) -> None:
        content.hourly(hours, NOW)
        content.daily(days, NOW)
        builder.daily("content", days, NOW)
        builder.daily("creator", days, NOW)
        builder.weekly(days, NOW)
        builder.monthly(days, NOW)

    print(f"a year built at once               {seconds_of(lambda: rebuild(year, year)):7.1f} s")
    at = midnight(DAY - timedelta(days=60)) + timedelta(hours=9)
    arrived = pa.table(
        {
            "workspace_id": ["workspace-1"], "session_id": ["late"], "content_id": ["content-1"],
            "event_type": ["view_start"], "event_ts": pa.array([at], pa.timestamp("us", "UTC")),
            "event_id": ["late"], "date": pa.array([at.date()], pa.date32()), "viewer_hash": [1], "is_bot": [False],
        }
    )  # fmt: skip
    missing = [f for f in EVENTS.schema if f.name not in arrived.column_names]
    for field in missing:
        arrived = arrived.append_column(field, pa.nulls(1, field.type))
    lake.append("events", arrived.select(EVENTS.schema.names))
    before = {t: set(lake.file_uris(t)) for t in REBUILT}
    dirty = content.dirty_hours(arrived)
    spent = seconds_of(lambda: rebuild(dirty, Window.of_day(dirty[0].date())))
    print(f"one event, 60 days late            {spent:7.1f} s")
    for table in REBUILT:
        files = set(lake.file_uris(table))
        print(f"  {table:24} {len(files - before[table]):5} of {len(files)} partitions' files rewritten")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--part", choices=("day", "year", "both"), default="both")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        if asked.part in ("day", "both"):
            whole_day(Path(directory), asked.events, asked.seed)
        if asked.part in ("year", "both"):
            one_late_event(Path(directory), asked.seed)


if __name__ == "__main__":
    main()
