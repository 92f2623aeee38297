-- Every number of a period that had ended at $since and overlaps [$first, $end), as it was known then and at $until.
-- Grain: one metric of one entity in one day, week or month. Inputs: numbers_then, numbers_now.
-- kind is null where the number is the same.
with
sides as (
    select *, true as is_then from numbers_then
    union all by name
    select *, false as is_then from numbers_now
),
pairs as (
    select
        grain, period_start, period_end, workspace_id, platform, entity_type, entity_id, account_id, metric,
        any_value(value) filter (where is_then) as value_then,
        any_value(value) filter (where not is_then) as value_now,
        coalesce(bool_or(is_complete) filter (where is_then), false) as was_complete,
        coalesce(bool_or(is_complete) filter (where not is_then), false) as is_complete,
        any_value(source) filter (where not is_then) as source,
        max(last_read_at) filter (where not is_then) as last_read_at,
        max(over_at) as over_at
    from sides
    where period_start < $end and period_end > $first
    group by grain, period_start, period_end, workspace_id, platform, entity_type, entity_id, account_id, metric
)
select
    * exclude (over_at),
    value_now - value_then as change,
    (value_now - value_then) / nullif(abs(value_then), 0) as relative_change,
    case
        when value_then is null then 'arrived late'
        when value_now is null then 'withdrawn'
        when value_then <> value_now then 'restated'
    end as kind
from pairs
where over_at <= $since and (value_then is not null or value_now is not null)
