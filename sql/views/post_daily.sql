-- One post on one day, a column per metric: what the day added, and the counters themselves as lifetime_*.
select
    d.date,
    d.workspace_id,
    d.platform,
    d.account_id,
    d.entity_id as post_id,
    any_value(p.post_type) as post_type,
    any_value(p.title) as title,
    any_value(p.published_at) as published_at,
    max(d.value) filter (where d.metric = 'profile_views') as profile_views,
    max(d.value) filter (where d.metric = 'impressions') as impressions,
    max(d.value) filter (where d.metric = 'views') as views,
    max(d.value) filter (where d.metric = 'reach') as reach,
    max(d.value) filter (where d.metric = 'likes') as likes,
    max(d.value) filter (where d.metric = 'comments') as comments,
    max(d.value) filter (where d.metric = 'shares') as shares,
    max(d.value) filter (where d.metric = 'saves') as saves,
    max(d.value) filter (where d.metric = 'clicks') as clicks,
    max(d.value) filter (where d.metric = 'watch_time_seconds') as watch_time_seconds,
    max(d.value) filter (where d.metric = 'subscribers_gained') as subscribers_gained,
    max(d.value) filter (where d.metric = 'subscribers_lost') as subscribers_lost,
    max(d.value) filter (where d.metric = 'completion_rate') as completion_rate,
    max(d.value) filter (where d.metric = 'engagement') as engagement,
    max(d.value) filter (where d.metric = 'engagement_rate') as engagement_rate,
    max(d.lifetime_value) filter (where d.metric = 'profile_views') as lifetime_profile_views,
    max(d.lifetime_value) filter (where d.metric = 'impressions') as lifetime_impressions,
    max(d.lifetime_value) filter (where d.metric = 'views') as lifetime_views,
    max(d.lifetime_value) filter (where d.metric = 'reach') as lifetime_reach,
    max(d.lifetime_value) filter (where d.metric = 'likes') as lifetime_likes,
    max(d.lifetime_value) filter (where d.metric = 'comments') as lifetime_comments,
    max(d.lifetime_value) filter (where d.metric = 'shares') as lifetime_shares,
    max(d.lifetime_value) filter (where d.metric = 'saves') as lifetime_saves,
    max(d.lifetime_value) filter (where d.metric = 'clicks') as lifetime_clicks,
    max(d.lifetime_value) filter (where d.metric = 'watch_time_seconds') as lifetime_watch_time_seconds,
    max(d.lifetime_value) filter (where d.metric = 'subscribers_gained') as lifetime_subscribers_gained,
    max(d.lifetime_value) filter (where d.metric = 'subscribers_lost') as lifetime_subscribers_lost,
    count(*) filter (where not d.is_complete) as incomplete_metrics,
    max(d.last_read_at) as last_read_at
from daily_metrics as d
left join posts as p
    on p.workspace_id = d.workspace_id and p.platform = d.platform
    and p.account_id = d.account_id and p.post_id = d.entity_id
where d.entity_type = 'post'
group by d.date, d.workspace_id, d.platform, d.account_id, d.entity_id
