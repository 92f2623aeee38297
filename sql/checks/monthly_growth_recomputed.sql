-- Rows of monthly_metrics in [$start, $end) whose growth is not what value and the preceding row give. Empty = pass.
select r.month_start, r.workspace_id, r.platform, r.entity_type, r.entity_id, r.metric, r.value, p.value as preceding,
    r.previous_value, r.change, r.growth_state, r.growth_rate
from monthly_metrics as r
left join monthly_metrics as p
    on p.month_start = cast(r.month_start - interval 1 month as date)
    and p.workspace_id = r.workspace_id and p.platform = r.platform and p.entity_type = r.entity_type
    and p.entity_id = r.entity_id and p.account_id is not distinct from r.account_id and p.metric = r.metric
where
    r.month_start >= $start and r.month_start < $end
    and (
        -- the first period of the table has no row before it to compare with
        (p.value is not null and r.previous_value is distinct from p.value)
        or r.change is distinct from r.value - r.previous_value
        or (r.growth_rate is not null and r.growth_state not in ('ok', 'partial', 'flat_zero'))
        or (r.growth_rate is not null and not isfinite(r.growth_rate))
        or (r.growth_rate is null and r.growth_state in ('ok', 'flat_zero'))
        or (
            r.growth_state = 'ok' and r.compared_value is null
            and abs(r.growth_rate - r.change / r.previous_value) > 1e-9
        )
        or (
            r.growth_state in ('ok', 'partial') and r.compared_value is not null
            and abs(r.growth_rate - (r.compared_value - r.compared_previous) / r.compared_previous) > 1e-9
        )
    )
order by all
