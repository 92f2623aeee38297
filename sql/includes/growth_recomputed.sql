-- Rows of the relation `rollup` (a rollup table with period_start and preceding_start) in [$start, $end) whose growth
-- is not what value and the preceding row give.
select r.period_start, r.workspace_id, r.platform, r.entity_type, r.entity_id, r.metric, r.value, p.value as preceding,
    r.previous_value, r.change, r.growth_state, r.growth_rate
from rollup as r
left join rollup as p
    on p.period_start = r.preceding_start
    and p.workspace_id = r.workspace_id and p.platform = r.platform and p.entity_type = r.entity_type
    and p.entity_id = r.entity_id and p.account_id is not distinct from r.account_id and p.metric = r.metric
where
    r.period_start >= $start and r.period_start < $end
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
