-- Content by quality, best first, with what the score is made of.
select
    workspace_id, content_id, creator_id, content_type, published_at,
    views, unique_viewers, completion_rate, engagement_rate, share_rate, rewatch_rate,
    quality_score, quality_confidence, vs_creator_average, vs_platform_average, rank, rank_position,
    computed_at
from content_metrics
where quality_score is not null and deleted_at is null
