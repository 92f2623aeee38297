-- Grain and columns: see snapshots/period_figures.sql, of the weeks among `periods`. Input: weekly_metrics.
with
rolled as (
    select week_start as date, * exclude (week_start)
    from weekly_metrics
    where
        week_start >= $start and week_start < $end and entity_type in ('account', 'workspace')
        and week_start in (select period_start from periods)
),
figures as (
    -- include snapshots/period_figures.sql
)
select * from figures
