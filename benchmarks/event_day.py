"""A day of content events: how long its hours and its day take, and what one late event costs in a year of history.

Run with `make bench-event-day`; `--events 2000000` for a smaller day. The day is drawn from a seed and written by
DuckDB straight into the lake's events partition.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from benchmarks.costs import Cost, alone, cost_of, seconds_of
from benchmarks.event_day_baselines import A, B, run_statements
from metrics_pipeline.aggregation.build import Builder
from metrics_pipeline.aggregation.content import DAY_TABLES, ContentBuilder
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.events.model import Handover
from metrics_pipeline.lake.connect import connect_duckdb
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.event_tables import EVENTS
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.pipeline import Pipeline
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


def write_events(lake: Lake, day: date, events: int, seed: int, workspaces: int = WORKSPACES) -> None:
    """Append a drawn day to the events table."""
    connection = connect_duckdb()
    sql_columns = ", ".join(
        f'cast("{c.name}" as {c.sql_type}) as "{c.name}"' if f" as {c.name}" in _EVENTS
        else f'cast(null as {c.sql_type}) as "{c.name}"'
        for c in EVENTS.columns
    )  # fmt: skip
    parameters = {
        "seed": seed, "first": 0, "end": events, "day": day,
        "contents": CONTENTS, "viewers": VIEWERS, "workspaces": workspaces,
    }  # fmt: skip
    drawn = connection.sql(f"select {sql_columns} from ({_EVENTS})", params=parameters)
    reader = drawn.to_arrow_reader(BATCH_ROWS)
    lake.append("events", pa.RecordBatchReader.from_batches(EVENTS.schema, (b.cast(EVENTS.schema) for b in reader)))


def draw_day(directory: Path, events: int, seed: int) -> Cost:
    lake = Lake(str(directory / "lake"))
    lake.initialise()
    return cost_of(lambda: write_events(lake, DAY, events, seed))


def by_hand(directory: Path, statements: Sequence[str]) -> Cost:
    lake = Lake(str(directory / "lake"))
    return cost_of(lambda: run_statements(lake, *statements))


def built(directory: Path, tables: Sequence[str]) -> Cost:
    """Replace tables of the whole day; content_hourly by itself the way its hours are built."""
    builder, window = ContentBuilder(Engine(Lake(str(directory / "lake"))), catalog(), Settings()), Window.of_day(DAY)
    builder.hourly(Window.of_day(DAY - timedelta(days=9)), NOW)  # imports what a fresh process imports at first use
    if tables == ("content_hourly",):
        return cost_of(lambda: builder.hourly(window, NOW))
    return cost_of(lambda: builder.tables_of_days(tables, window, NOW))


def thousand_more(directory: Path) -> tuple[Cost, Cost]:
    """A thousand events of the last ten minutes through the inbox: what draining and refreshing take."""
    settings = Settings(data_dir=directory, now=NOW - timedelta(seconds=1))
    flow, at = ContentFlow(Pipeline(settings)), settings.clock.now()
    with Ingestion.open(settings) as ingestion:
        events: list[dict[str, object]] = [
            {
                "eventId": f"more-{n}", "eventType": ("view_start", "view_progress", "like", "impression")[n % 4],
                "contentId": f"content-{n // 4}", "sessionId": f"session-of-more-{n // 4}",
                "timestamp": (at - timedelta(seconds=600 - n // 2)).isoformat(), "viewData": {"totalWatchTime": 7.5},
            }
            for n in range(1000)
        ]  # fmt: skip
        for start in range(0, len(events), 100):
            handover = Handover("workspace-1", received_at=at)
            results = ingestion.submit_blocking(handover, events[start : start + 100])
            if any(result.status != "accepted" for result in results):
                raise SystemExit(f"not accepted: {results[0]}")
    return cost_of(flow.drain), cost_of(flow.refresh)


def whole_day(directory: Path, events: int, seed: int, rounds: int) -> None:
    """The hours and the day of one large day against statements written by hand, all in processes of their own."""
    print(f"{events:,} events written                  {alone(draw_day, directory, events, seed)}")
    work: dict[str, Callable[[], Cost]] = {
        "A: group-by by hand": lambda: alone(by_hand, directory, A),
        "B: by hand, with views": lambda: alone(by_hand, directory, (B,)),
        "content_hourly": lambda: alone(built, directory, ("content_hourly",)),
        "content_hourly and content_daily": lambda: alone(built, directory, ("content_hourly", "content_daily")),
        "all tables of hours and days": lambda: alone(built, directory, (*DAY_TABLES, "content_hourly")),
    }
    work["A: group-by by hand"]()  # once to warm the page cache
    for _ in range(rounds):
        costs = {name: run() for name, run in work.items()}
        a, b = (cost.processor for cost in list(costs.values())[:2])
        for name, cost in costs.items():
            print(f"{name:34} {cost}, {cost.processor / a:.2f} x A, {cost.processor / b:.2f} x B", flush=True)
    drained, refreshed = alone(thousand_more, directory)
    print(f"1,000 events more: drained         {drained}")
    print(f"1,000 events more: refreshed       {refreshed}")


def many_days(directory: Path, events: int, seed: int) -> None:
    """Five weeks with a hundredth of the events each day, built at once."""
    lake = Lake(str(directory / "lake"))
    lake.initialise()
    for n in range(35):
        write_events(lake, DAY - timedelta(days=n), events // 100, seed + n)
    weeks = Window.of_days(DAY - timedelta(days=34), DAY + timedelta(days=1))
    builder = ContentBuilder(Engine(lake), catalog(), Settings())
    print(f"35 days of {events // 100:,} events            {cost_of(lambda: builder.days_and_hours(weeks, NOW))}")


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
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--part", choices=("day", "weeks", "year", "all"), default="all")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        if asked.part in ("day", "all"):
            whole_day(Path(directory) / "day", asked.events, asked.seed, asked.rounds)
        if asked.part in ("weeks", "all"):
            alone(many_days, Path(directory) / "weeks", asked.events, asked.seed)
        if asked.part in ("year", "all"):
            one_late_event(Path(directory), asked.seed)


if __name__ == "__main__":
    main()
