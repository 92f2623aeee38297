-- content_daily. Grain: one content item on one UTC day. Inputs: content_days (sums of hours), viewers (each once).
with
audiences as (
    select date, content_no, count(*) as unique_viewers
    from viewers
    group by date, content_no
)
select d.* exclude (content_no), coalesce(a.unique_viewers, 0) as unique_viewers
from content_days as d
left join audiences as a on a.date = d.date and a.content_no = d.content_no
order by d.content_no
