-- content_audience_daily. Grain: one content item, day, and value of one dimension. Inputs: view_sessions, content_days.
with
counted as (
    select
        date, workspace_id, content_id,
        case
            when grouping(country) = 0 then 'country'
            when grouping(city) = 0 then 'city'
            when grouping(age_group) = 0 then 'age_group'
            when grouping(gender) = 0 then 'gender'
            when grouping(device_type) = 0 then 'device_type'
            when grouping(device_platform) = 0 then 'device_platform'
            else 'source'
        end as dimension,
        coalesce(country, city, age_group, gender, device_type, device_platform, source) as value,
        count(*) as views,
        stable_sum(watch_time_seconds) as watch_time_seconds,
        count(distinct viewer_hash) as unique_viewers
    from view_sessions
    group by grouping sets (
        (date, workspace_id, content_id, country),
        (date, workspace_id, content_id, city),
        (date, workspace_id, content_id, age_group),
        (date, workspace_id, content_id, gender),
        (date, workspace_id, content_id, device_type),
        (date, workspace_id, content_id, device_platform),
        (date, workspace_id, content_id, source)
    )
)
select
    c.date, c.workspace_id, c.content_id, d.creator_id, c.dimension, c.value, c.views, c.watch_time_seconds,
    c.unique_viewers
from counted as c
inner join content_days as d
    on d.date = c.date and d.workspace_id = c.workspace_id and d.content_id = c.content_id
order by c.workspace_id, c.content_id, c.dimension, c.value
