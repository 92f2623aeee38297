-- Totals of weekly_metrics in [$start, $end) that are not the sum of their days. Empty = pass.
with
day_sums as (
    select
        r.week_start, r.workspace_id, r.platform, r.entity_type, r.entity_id, r.account_id, r.metric,
        any_value(r.total) as total,
        any_value(r.days_present) as days_present,
        sum(d.value) as sum_of_days,
        count(d.value) as days_found
    from weekly_metrics as r
    left join daily_metrics as d -- a total none of whose days is there is wrong as well
        on d.date >= r.week_start and d.date < plus_days(r.week_start, 7)
        and d.workspace_id = r.workspace_id and d.platform = r.platform and d.entity_type = r.entity_type
        and d.entity_id = r.entity_id and d.account_id is not distinct from r.account_id and d.metric = r.metric
    where r.week_start >= $start and r.week_start < $end and r.total is not null
    group by all
)
select *
from day_sums
where abs(total - coalesce(sum_of_days, 0)) > 1e-6 * greatest(1, abs(total)) or days_present <> days_found
order by all
