-- Content items of a workspace, or of one creator, with their lifetime numbers. Grain: one item that is not taken down.
-- sort_value: larger comes first; items without one come last. Inputs: content_metrics, content.
select
    m.content_id, m.creator_id, m.content_type, c.caption, c.thumbnail_url,
    coalesce(m.published_at, day_start(m.first_date)) as published_at,
    m.views, m.unique_viewers,
    m.likes - m.unlikes as likes, m.comments, m.shares, m.saves - m.unsaves as saves,
    m.likes - m.unlikes + m.comments + m.shares + m.saves - m.unsaves as engagement,
    finite(m.engagement_rate) as engagement_rate, finite(m.completion_rate) as completion_rate,
    finite(m.average_watch_time) as average_watch_time, finite(m.watch_time_seconds) as watch_time_seconds,
    finite(m.quality_score) as quality_score, finite(m.quality_confidence) as quality_confidence,
    m.trend, m.is_trending, finite(m.views_per_hour) as views_per_hour,
    finite(m.rank) as rank, m.rank_position, m.approximate, m.computed_at,
    coalesce(
        case $sort
            when 'recent' then cast(epoch_us(coalesce(m.published_at, day_start(m.first_date))) as double)
            when 'views' then m.views
            when 'engagement' then m.likes - m.unlikes + m.comments + m.shares + m.saves - m.unsaves
            when 'quality' then finite(m.quality_score)
        end,
        -1e300
    ) as sort_value,
    m.content_id as sort_id
from content_metrics as m
left join content as c on c.workspace_id = m.workspace_id and c.content_id = m.content_id
where
    m.workspace_id = $workspace_id and m.deleted_at is null
    and ($creator_id = '' or m.creator_id = $creator_id)
    and coalesce(m.published_at, day_start(m.first_date)) >= $since
