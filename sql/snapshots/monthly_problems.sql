-- What is wrong with the months that snapshots are made of, see snapshots/problems.sql.
with
figures as (
    -- include snapshots/month_figures.sql
),
problems as (
    -- include snapshots/problems.sql
)
select * from problems
order by workspace_id, date, problem
