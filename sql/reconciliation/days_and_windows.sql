-- Distinct people that a platform gives for a whole week or month against its own days: as many as the largest day at
-- least, as many as all days together at most. Grain: series and period that begins in [$start, $end); `against` is the
-- bound that is broken, else the value. Inputs: weekly_metrics, monthly_metrics, daily_metrics, days_of_periods (grain,
-- date, period_start), the catalogue.
with
periods as (
    select *
    from (
        -- include reconciliation/periods.sql
    )
    where additivity = 'unique' and value is not null
),
bounds as (
    select
        p.grain, p.date, p.workspace_id, p.platform, p.entity_type, p.entity_id, p.metric, p.value,
        max(d.value) as least_possible,
        case when count(d.value) = any_value(p.days_expected) then stable_sum(d.value) end as most_possible
    from periods as p
    inner join days_of_periods as c on c.grain = p.grain and c.period_start = p.date
    inner join daily_metrics as d
        on d.date = c.date and d.workspace_id = p.workspace_id and d.platform = p.platform
        and d.entity_type = p.entity_type and d.entity_id = p.entity_id
        and d.account_id is not distinct from p.account_id and d.metric = p.metric
    where d.value is not null
    group by all
),
judged as (
    select
        *,
        case
            when value < least_possible then least_possible
            when value > most_possible then most_possible
            else value
        end as against
    from bounds
)
select
    'days_and_window' as comparison,
    grain, date, workspace_id, platform, entity_type, entity_id, metric,
    false as is_exact,
    true as is_judged,
    most_possible is not null as is_complete,
    cast(1 as bigint) as compared,
    (value <> against)::bigint as differing,
    value, against,
    abs(value - against) as absolute_drift
from judged
