-- daily_metrics, entity_type 'post'. Grain: one metric of one post on one day in [$start, $end).
-- Inputs: insight_readings, counter_readings, posts, and the catalogue relations.
with
measured as (
    -- include daily/measured.sql
),
base as (
    -- include daily/best.sql
),
derived as (
    -- include daily/derived.sql
)
select
    date, workspace_id, platform,
    'post' as entity_type,
    post_id as entity_id,
    account_id, metric, value, lifetime_value, numerator, denominator, state, reason, source,
    is_complete, is_provisional, definition_version, readings, readings_expected, days_spanned,
    cast(null as bigint) as entities_present,
    cast(null as bigint) as entities_expected,
    last_read_at, day_timezone,
    false as approximate
from (
    select * from base
    union all by name
    select *, 'derived' as source from derived
)
order by workspace_id, platform, entity_id, metric
