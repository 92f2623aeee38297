-- content_ages: how views came with age, up to and with $through, of items that began on or after $oldest, the first
-- day whose hours are kept. Grain: one content item and step of age. Inputs: content_daily, content_hourly, content.
with
lives as (
    select workspace_id, content_id, min(date) as first_date
    from content_daily
    where date <= $through
    group by workspace_id, content_id
),
kept as (
    select l.workspace_id, l.content_id, coalesce(a.published_at, day_start(l.first_date)) as exists_since
    from lives as l
    left join content as a on a.workspace_id = l.workspace_id and a.content_id = l.content_id
    where least(l.first_date, utc_day(coalesce(a.published_at, day_start(l.first_date)))) >= $oldest
),
aged_hours as (
    select
        h.workspace_id, h.content_id, k.exists_since, h.views,
        day_start(h.date) + hours(h.hour) as hour_start
    from content_hourly as h
    inner join kept as k on k.workspace_id = h.workspace_id and k.content_id = h.content_id
    where h.date >= $oldest and h.date <= $through
),
steps as (
    -- include content/age_steps.sql
)
select *, $through as through_date
from steps
order by workspace_id, content_id, age_hours
