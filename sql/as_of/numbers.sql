-- Days, weeks and months in one relation. Grain: one metric of one entity in one day, week or month.
-- Inputs: days, week_rows, month_rows. over_at: when the period ended where the platform counts its days.
with
zones as (
    select platform, entity_type, metric, list(distinct day_timezone) as zones
    from days
    group by platform, entity_type, metric
),
periods as (
    select 'week' as grain, week_start as period_start, plus_days(week_start, 7) as period_end, * exclude (week_start)
    from week_rows
    union all by name
    select
        'month' as grain,
        month_start as period_start,
        cast(month_start + interval 1 month as date) as period_end,
        * exclude (month_start, weekly_breakdown)
    from month_rows
)
select
    'day' as grain,
    date as period_start,
    plus_days(date, 1) as period_end,
    timezone(day_timezone, cast(date as timestamp) + interval 1 day) as over_at,
    workspace_id, platform, entity_type, entity_id, account_id, metric, value, source, is_complete, last_read_at
from days
union all by name
select
    p.grain, p.period_start, p.period_end,
    list_max([timezone(zone, cast(p.period_end as timestamp)) for zone in z.zones]) as over_at,
    p.workspace_id, p.platform, p.entity_type, p.entity_id, p.account_id, p.metric, p.value, p.is_complete,
    p.last_read_at
from periods as p
inner join zones as z on z.platform = p.platform and z.entity_type = p.entity_type and z.metric = p.metric
