-- Canonical metrics, long, from the relation `entity_days` (one row per date, workspace_id, entity_id with the counted
-- columns of content_daily, unique_viewers and contents). Grain: one metric of content of one entity (of level $level)
-- and day. likes and saves are net of those taken back and may be negative on a day.
with
valued as (
    -- include content/canonical_values.sql
)
select
    date, workspace_id,
    'app' as platform,
    $level as entity_type,
    entity_id,
    cast(null as varchar) as account_id,
    metric, value,
    cast(null as double) as lifetime_value,
    numerator, denominator,
    case
        when denominator = 0 then 'insufficient_data'
        when value is null then 'no_components'
        when value = 0 then 'zero'
        else 'value'
    end as state,
    case when denominator = 0 then 'there was nothing to divide by' end as reason,
    'events' as source,
    date < utc_day($now) and value is not null as is_complete,
    plus_days(date, $lateness_days) >= utc_day($now) as is_provisional,
    1 as definition_version,
    1 as readings,
    1 as readings_expected,
    cast(null as bigint) as days_spanned,
    contents as entities_present,
    contents as entities_expected,
    -- events come by themselves: the day's are known up to its end, the running day's up to now
    least($now, day_start(date) + interval 1 day) as last_read_at,
    'UTC' as day_timezone,
    false as approximate
from valued
order by workspace_id, entity_id, metric
