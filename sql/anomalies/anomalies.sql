-- anomalies. Grain: one metric of one account, workspace or creator on one day in [$start, $end) that lies far from the
-- same weekdays of the eight weeks before. Inputs: daily_metrics from $first (eight weeks before $start) on, and the
-- relation watched_metrics (metric, label, counted, minimum, relative_floor, least_spread).
-- Only complete days with a value count, on both sides, of one definition and without differences over several days;
-- fewer than four such weekdays judge nothing. The spread is 1.4826 x MAD (the standard deviation, were the values
-- normal), but not less than what chance alone gives: the square root of an expected count, or a share of another value.
with
days as (
    select
        d.date, d.workspace_id, d.platform, d.entity_type, d.entity_id, d.account_id, d.metric, d.value,
        d.is_provisional, d.definition_version, d.last_read_at,
        w.label, w.counted, w.minimum, w.relative_floor, w.least_spread
    from daily_metrics as d
    inner join watched_metrics as w using (metric)
    where
        d.date >= $first and d.date < $end
        and d.entity_type in ('account', 'workspace', 'creator')
        and d.is_complete and d.value is not null and coalesce(d.days_spanned, 1) = 1
),
weekdays as (
    select
        d.date, d.workspace_id, d.platform, d.entity_type, d.entity_id, d.metric,
        median_of(e.value) as expected,
        absolute_deviation(e.value) as deviation,
        min(e.value) as lowest,
        max(e.value) as highest,
        count(*) as days_used
    from days as d
    inner join days as e
        on e.workspace_id = d.workspace_id and e.platform = d.platform and e.entity_type = d.entity_type
        and e.entity_id = d.entity_id and e.metric = d.metric
        and e.definition_version = d.definition_version
        and iso_weekday(e.date) = iso_weekday(d.date)
        and e.date < d.date and e.date >= plus_days(d.date, -56)
    where d.date >= $start
    group by d.date, d.workspace_id, d.platform, d.entity_type, d.entity_id, d.metric
    having count(*) >= 4
),
judged as (
    select
        d.*, h.expected, h.lowest, h.highest, h.days_used,
        greatest(
            1.4826 * h.deviation,
            case when d.counted then sqrt(abs(h.expected)) else d.relative_floor * abs(h.expected) end,
            d.least_spread
        ) as spread
    from weekdays as h
    inner join days as d using (date, workspace_id, platform, entity_type, entity_id, metric)
)
select
    date, workspace_id, platform, entity_type, entity_id, account_id, metric, value, expected, lowest, highest, spread,
    (value - expected) / spread as z,
    days_used,
    case when value > expected then 'up' else 'down' end as direction,
    coalesce(is_provisional, false) as is_provisional,
    definition_version,
    last_read_at,
    label || ' of ' || entity_type || ' ' || entity_id || ' on ' || cast(date as varchar) || ' came to '
    || shown_number(value) || '; '
    || case when days_used = 8 then 'the last 8 ' else cast(days_used as varchar) || ' of the last 8 ' end
    || weekday_name(date) || 's had a median of ' || shown_number(expected)
    || ' (from ' || shown_number(lowest) || ' to ' || shown_number(highest) || ')'
    || case when is_provisional then '; the platform may still restate the day' else '' end as explanation
from judged
where abs(value - expected) >= minimum and abs(value - expected) >= $threshold * spread
order by workspace_id, platform, entity_type, entity_id, metric, date
