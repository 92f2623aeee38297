-- One creator on one day, a column per metric, from the events about all of the creator's content. unique_viewers is
-- counted over the content, never summed.
select
    date,
    workspace_id,
    entity_id as creator_id,
    max(entities_present) as contents,
    max(value) filter (where metric = 'impressions') as impressions,
    max(value) filter (where metric = 'views') as views,
    max(value) filter (where metric = 'unique_viewers') as unique_viewers,
    max(value) filter (where metric = 'watch_time_seconds') as watch_time_seconds,
    max(value) filter (where metric = 'average_watch_time') as average_watch_time,
    max(value) filter (where metric = 'completion_rate') as completion_rate,
    max(value) filter (where metric = 'likes') as likes,
    max(value) filter (where metric = 'comments') as comments,
    max(value) filter (where metric = 'shares') as shares,
    max(value) filter (where metric = 'saves') as saves,
    max(value) filter (where metric = 'engagement') as engagement,
    max(value) filter (where metric = 'engagement_rate') as engagement_rate,
    max(value) filter (where metric = 'rewatches') as rewatches,
    max(value) filter (where metric = 'follows') as follows,
    max(value) filter (where metric = 'unfollows') as unfollows,
    count(*) filter (where not is_complete) as incomplete_metrics,
    max(last_read_at) as last_read_at
from daily_metrics
where entity_type = 'creator'
group by date, workspace_id, entity_id
