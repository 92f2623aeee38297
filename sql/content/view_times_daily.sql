-- view_times_daily. Grain: one content item, day, and bucket of watch time; null holds views nobody watched.
-- Inputs: view_sessions, content_days.
select
    v.date, v.workspace_id, v.content_id, d.creator_id,
    case when v.watch_time_seconds > 0 then cast(ceil(ln(v.watch_time_seconds) / ln(1.01 / 0.99)) as integer) end
        as bucket,
    count(*) as views
from view_sessions as v
inner join content_days as d
    on d.date = v.date and d.workspace_id = v.workspace_id and d.content_id = v.content_id
group by 1, 2, 3, 4, 5
order by 2, 3, 5
