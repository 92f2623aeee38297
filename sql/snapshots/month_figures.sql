-- Grain and columns: see snapshots/period_figures.sql, of the months among `periods`. Input: monthly_metrics.
with
rolled as (
    select month_start as date, * exclude (month_start, weekly_breakdown)
    from monthly_metrics
    where
        month_start >= $start and month_start < $end and entity_type in ('account', 'workspace')
        and month_start in (select period_start from periods)
),
figures as (
    -- include snapshots/period_figures.sql
)
select * from figures
