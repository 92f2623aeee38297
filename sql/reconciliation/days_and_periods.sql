-- Sums and last values of weeks and months against their days as they are now. Grain: workspace, platform, kind of
-- entity, metric, and period that begins in [$start, $end). Inputs: weekly_metrics, monthly_metrics, daily_metrics to the
-- end of the last period, days_of_periods (grain, date, period_start), the catalogue, and stale_periods (grain,
-- period_start): those whose days changed since they were built, which is not judged.
with
periods as (
    select *
    from (
        -- include reconciliation/periods.sql
    )
    where additivity in ('additive', 'last_value')
),
days as (
    select d.*, c.grain, c.period_start
    from daily_metrics as d
    inner join days_of_periods as c using (date)
    where d.value is not null
),
sides as (
    select
        p.grain, p.date, p.workspace_id, p.platform, p.entity_type, p.entity_id, p.account_id, p.metric,
        any_value(s.period_start) is null as is_complete,
        any_value(p.value) as value,
        case when any_value(p.additivity) = 'additive' then stable_sum(d.value) else arg_max(d.value, d.date) end
            as against
    from periods as p
    left join days as d
        on d.grain = p.grain and d.period_start = p.date and d.workspace_id = p.workspace_id
        and d.platform = p.platform and d.entity_type = p.entity_type and d.entity_id = p.entity_id
        and d.account_id is not distinct from p.account_id and d.metric = p.metric
    left join stale_periods as s on s.grain = p.grain and s.period_start = p.date
    group by all
)
select
    'days_and_period' as comparison,
    grain, date, workspace_id, platform, entity_type,
    cast(null as varchar) as entity_id,
    metric,
    true as is_exact,
    true as is_judged,
    bool_and(is_complete) as is_complete,
    count(*) as compared,
    count(*) filter (where value is distinct from against) as differing,
    stable_sum(value) as value,
    stable_sum(against) as against,
    -- one side may have a value that the other lacks
    stable_sum(abs(coalesce(value, 0) - coalesce(against, 0))) as absolute_drift
from sides
group by all
