"""A day of content events: how long its hours and its day take, and what one late event costs in a year of history.

Run with `make bench-event-day`; `--events 2000000` for a smaller day. The day is drawn from a seed and written by
DuckDB straight into the lake's events partition.
"""

from __future__ import annotations

from datetime import date

import pyarrow as pa

from metrics_pipeline.lake.engine import connect_duckdb
from metrics_pipeline.lake.event_tables import EVENTS
from metrics_pipeline.lake.lake import Lake

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
    ['for_you', 'for_you', 'following', 'profile', 'search', 'hashtag', 'direct', 'email'][1 + viewer % 8] as source_type,
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
