-- Content that is trending now, most first: rising beyond chance and above the floor of views per hour.
select
    workspace_id, content_id, creator_id, content_type, published_at,
    views_24h, views_before, views_per_hour, expected_views, trend_z, trending_score,
    row_number() over (partition by workspace_id order by trending_score desc, content_id) as position,
    computed_at
from content_metrics
where is_trending and deleted_at is null
