-- A workspace's content that is trending now, most first; see views/trending_content.sql. Grain: one item.
select
    t.content_id, t.creator_id, t.content_type, c.caption, c.thumbnail_url, t.published_at,
    t.views_24h, t.views_before, finite(t.views_per_hour) as views_per_hour, finite(t.expected_views) as expected_views,
    finite(t.trend_z) as trend_z, finite(t.trending_score) as trending_score, t.position, t.computed_at,
    coalesce(finite(t.trending_score), -1e300) as sort_value,
    t.content_id as sort_id
from (
    -- include views/trending_content.sql
) as t
left join content as c on c.workspace_id = t.workspace_id and c.content_id = t.content_id
where t.workspace_id = $workspace_id
