-- Grain: one viewer of one content item on one UTC day. Input: followed_views.
select
    date, content_no, viewer_hash,
    count(*) as views,
    stable_sum(watch_time_seconds) as watch_time_seconds
from followed_views
where viewer_hash is not null
group by date, content_no, viewer_hash
