-- What content items of a workspace did in the days [$first, $end). Grain: one item that was seen in them and is not
-- taken down. quality_score is its present one. Inputs: content_daily, content_metrics, content.
with
sums as (
    select
        content_id,
        sum(views) as views,
        sum(likes - unlikes) as likes, sum(comments) as comments, sum(shares) as shares, sum(saves - unsaves) as saves,
        stable_sum(watch_time_seconds) as watch_time_seconds,
        sum(likes - unlikes + comments + shares + saves - unsaves) as engagement
    from content_daily
    where workspace_id = $workspace_id and date >= $first and date < $end
    group by content_id
)
select
    s.content_id, m.creator_id, m.content_type, c.caption, c.thumbnail_url,
    coalesce(m.published_at, day_start(m.first_date)) as published_at,
    cast(s.views as bigint) as views, cast(s.likes as bigint) as likes, cast(s.comments as bigint) as comments,
    cast(s.shares as bigint) as shares, cast(s.saves as bigint) as saves, cast(s.engagement as bigint) as engagement,
    finite(s.engagement / nullif(s.views, 0)) as engagement_rate,
    finite(s.watch_time_seconds) as watch_time_seconds,
    finite(s.watch_time_seconds / nullif(s.views, 0)) as average_watch_time,
    finite(m.quality_score) as quality_score, finite(m.quality_confidence) as quality_confidence,
    m.trend, m.is_trending, m.computed_at,
    coalesce(
        case $sort when 'views' then s.views when 'engagement' then s.engagement when 'quality' then finite(m.quality_score) end,
        -1e300
    ) as sort_value,
    s.content_id as sort_id
from sums as s
inner join content_metrics as m on m.content_id = s.content_id and m.workspace_id = $workspace_id
left join content as c on c.workspace_id = m.workspace_id and c.content_id = m.content_id
where m.deleted_at is null and ($creator_id = '' or m.creator_id = $creator_id)
