-- One content item's, or one creator's, hours, or days of a zone. Grain: one metric in one span of $granularity (hour or
-- day of $timezone) in [$from, $until) in which anything happened. Distinct viewers of an hour are not known. Follows of
-- a creator that name no content are in days of UTC only: so the metric is left out here.
-- Inputs: content_hourly, the catalogue. Days of a zone have 23 to 25 hours.
with
hours_of_entity as (
    select *, day_start(date) + hours(hour) as hour_start
    from content_hourly
    where
        workspace_id = $workspace_id and date >= $first and date < $end
        and ($level <> 'content' or content_id = $entity_id)
        and ($level <> 'creator' or creator_id = $entity_id)
),
happenings as (
    select
        * exclude (date),
        $entity_id as entity_id,
        case
            when $granularity = 'hour' then hour_start
            else timezone($timezone, cast(cast(timezone($timezone, hour_start) as date) as timestamp))
        end as date
    from hours_of_entity
    where hour_start >= $from and hour_start < $until
),
viewed as (
    select cast(null as timestamptz) as date, '' as workspace_id, '' as entity_id, 0 as viewer_hash
    where false
),
entity_days as (
    select * replace (cast(null as bigint) as unique_viewers)
    from (
        -- include content/summed_days.sql
    )
),
valued as (
    -- include content/canonical_values.sql
),
spans as (
    select
        *,
        case
            when $granularity = 'hour' then date + hours(1)
            else timezone($timezone, cast(plus_days(cast(timezone($timezone, date) as date), 1) as timestamp))
        end as span_end
    from valued
)
select
    date as start, span_end as "end", metric,
    'app' as platform,
    cast(null as varchar) as account_id,
    finite(value) as value,
    case
        when denominator = 0 then 'insufficient_data'
        when value is null then 'no_components'
        when value = 0 then 'zero'
        else 'value'
    end as state,
    case
        when denominator = 0 then 'there was nothing to divide by'
        when metric = 'unique_viewers' then 'distinct people are known of days of UTC'
    end as reason,
    span_end <= $now and value is not null as is_complete,
    span_end + hours(24 * $lateness_days) > $now as is_provisional,
    false as approximate,
    least($now, span_end) as last_read_at
from spans
where
    ($metrics = '' or list_contains(string_split($metrics, ','), metric))
    and not ($level = 'creator' and metric in ('follows', 'unfollows'))
