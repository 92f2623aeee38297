-- What is known of a content item, for ranking and for a recommender's features: attributes, totals, rates and scores
-- as in content_metrics. One row per item that was not taken down. Likes and saves are net of those taken back.
select
    m.workspace_id, m.content_id, m.creator_id, m.content_type,
    c.caption, c.duration_seconds, c.metadata,
    m.published_at, m.hours_existed, m.age_is_assumed, m.first_date, m.last_date,
    m.impressions, m.feed_impressions, m.swiped_away, m.views, m.unique_viewers, m.approximate, m.error_bound,
    m.watch_time_seconds,
    m.likes - m.unlikes as likes, m.comments, m.shares, m.saves - m.unsaves as saves,
    m.not_interested, m.hides, m.reports, m.rewatches, m.loops,
    m.average_watch_time, m.median_watch_time, m.completion_rate, m.engagement_rate, m.share_rate, m.rewatch_rate,
    m.swiped_away / nullif(m.impressions, 0) as swipe_away_rate,
    (m.not_interested + m.hides + m.reports) / nullif(m.views, 0) as negative_rate,
    m.views_24h, m.views_per_hour, m.engagement_per_hour, m.shares_per_hour, m.peak_views_per_hour,
    m.trend, m.trend_z, m.is_trending, m.trending_score,
    m.quality_score, m.quality_confidence, m.vs_creator_average, m.vs_platform_average, m.vs_age_matched,
    m.age_matched_items, m.rank, m.rank_position, m.computed_at
from content_metrics as m
left join content as c on c.workspace_id = m.workspace_id and c.content_id = m.content_id
where m.deleted_at is null
