-- Levels and totals of accounts that nobody read on a day. Grain: account, metric, day in [$start, $end), for $carry_days
-- after the last reading. A day is stale once three planned looks have been missed; one that is a few hours old, and was
-- read late the evening before, is not there yet. Inputs: counter_readings, reading_cadence.
with
last_of_days as (
    select
        workspace_id, platform, account_id, metric, date,
        max(observed_at) as observed_at,
        max(definition_version) as definition_version,
        min(day_timezone) as day_timezone
    from counter_readings
    where
        post_id is null and observed_at <= $as_of and date >= plus_days($start, -$carry_days) and date < $end
    group by workspace_id, platform, account_id, metric, date
),
gaps as (
    select
        *,
        lead(date) over (partition by workspace_id, platform, account_id, metric order by date) as next_date
    from last_of_days
),
missed as (
    select
        g.* exclude (date, next_date),
        each_day(
            greatest(plus_days(g.date, 1), $start),
            least(plus_days(coalesce(g.next_date, $end), -1), plus_days(g.date, $carry_days), utc_day($now))
        ) as date
    from gaps as g
    where coalesce(g.next_date, $end) > plus_days(g.date, 1)
)
select
    m.date, m.workspace_id, m.platform, m.account_id, m.metric,
    'stale' as state,
    'last read at ' || minute_text(m.observed_at) as reason,
    'none' as source,
    false as is_complete,
    false as is_provisional,
    m.definition_version,
    0 as readings,
    1 as readings_expected,
    m.observed_at as last_read_at,
    m.day_timezone
from missed as m
left join reading_cadence as k on k.platform = m.platform and k.level = 'account'
where
    m.date < $end
    and m.observed_at + hours(3 * coalesce(k.every_hours, 1)) < least($now, day_start(plus_days(m.date, 1)))
