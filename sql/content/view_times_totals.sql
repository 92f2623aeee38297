-- view_times_totals: how long views lasted, up to and with $through. Grain: one bucket of one content item.
select
    workspace_id, content_id, bucket,
    sum(views) as views
from view_times_daily
where date <= $through
group by workspace_id, content_id, bucket
order by workspace_id, content_id, bucket
