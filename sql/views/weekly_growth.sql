-- How each metric of each account and workspace moved against the week before, with what the rate rests on.
select
    week_start,
    workspace_id,
    platform,
    entity_type,
    entity_id,
    metric,
    value,
    previous_value,
    change,
    growth_rate,
    growth_state,
    compared_value,
    compared_previous,
    compared_days,
    days_present,
    days_expected,
    is_complete
from weekly_metrics
where entity_type in ('account', 'workspace')
