-- monthly_metrics. Grain: one metric of one entity in one calendar month; see rollups/period_metrics.sql.
-- weekly_breakdown clips weeks to the month, so its parts sum to the month.
with
period_metrics as (
    -- include rollups/period_metrics.sql
),
week_parts as (
    select
        c.period_start, c.week_start, d.workspace_id, d.platform, d.entity_type, d.entity_id, d.account_id, d.metric,
        stable_sum(d.value) as value,
        count(d.value) as days_present
    from daily_metrics as d
    inner join calendar as c using (date)
    inner join periods as p using (period_start)
    inner join metric_catalog as m using (metric)
    where d.date >= $first and d.date < $end and p.is_output and m.additivity = 'additive'
    group by all
),
breakdowns as (
    select
        w.period_start, w.workspace_id, w.platform, w.entity_type, w.entity_id, w.account_id, w.metric,
        '[' || string_agg(json_text({
            'week_start': w.week_start,
            'from': greatest(w.week_start, p.period_start),
            'to': least(plus_days(w.week_start, 7), p.period_end),
            'value': w.value,
            'days_present': w.days_present
        }), ',' order by w.week_start) || ']' as weekly_breakdown
    from week_parts as w
    inner join periods as p using (period_start)
    group by all
)
select q.period_start as month_start, q.* exclude (period_start), b.weekly_breakdown
from period_metrics as q
left join breakdowns as b
    on b.period_start = q.period_start and b.workspace_id = q.workspace_id and b.platform = q.platform
    and b.entity_type = q.entity_type and b.entity_id = q.entity_id and b.metric = q.metric
    and b.account_id is not distinct from q.account_id
order by q.workspace_id, q.platform, q.entity_type, q.entity_id, q.metric
