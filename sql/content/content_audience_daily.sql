-- content_audience_daily. Grain: one content item, day, and value of one dimension.
-- Inputs: view_sessions, viewers, content_days.
with
viewed as (
    -- who viewed an item once that day is a distinct viewer of whatever the view says: only the others are compared
    select v.*, w.viewer_hash as returning_viewer, v.viewer_hash is not null and w.viewer_hash is null as is_only_view
    from view_sessions as v
    left join (select date, content_no, viewer_hash from viewers where views > 1) as w
        on w.date = v.date and w.content_no = v.content_no and w.viewer_hash = v.viewer_hash
),
counted as (
    select
        date, content_no,
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
        count(*) filter (where is_only_view)
        + count(distinct returning_viewer) filter (where returning_viewer is not null) as unique_viewers
    from viewed
    group by grouping sets (
        (date, content_no, country),
        (date, content_no, city),
        (date, content_no, age_group),
        (date, content_no, gender),
        (date, content_no, device_type),
        (date, content_no, device_platform),
        (date, content_no, source)
    )
)
select
    c.date, d.workspace_id, d.content_id, d.creator_id, c.dimension, c.value, c.views, c.watch_time_seconds,
    c.unique_viewers
from counted as c
inner join content_days as d on d.date = c.date and d.content_no = c.content_no
order by c.content_no, c.dimension, c.value
