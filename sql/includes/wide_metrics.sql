-- A column per metric. Grain: one period and entity of the relation `rows` (period, workspace_id, platform,
-- account_id, metric, value, is_complete, last_read_at). A column is null where the platform gave no value;
-- incomplete_metrics says how many values rest on too little.
select
    period,
    workspace_id,
    platform,
    account_id,
    max(value) filter (where metric = 'followers') as followers,
    max(value) filter (where metric = 'following') as following,
    max(value) filter (where metric = 'profile_views') as profile_views,
    max(value) filter (where metric = 'website_clicks') as website_clicks,
    max(value) filter (where metric = 'email_clicks') as email_clicks,
    max(value) filter (where metric = 'impressions') as impressions,
    max(value) filter (where metric = 'views') as views,
    max(value) filter (where metric = 'reach') as reach,
    max(value) filter (where metric = 'likes') as likes,
    max(value) filter (where metric = 'comments') as comments,
    max(value) filter (where metric = 'shares') as shares,
    max(value) filter (where metric = 'saves') as saves,
    max(value) filter (where metric = 'clicks') as clicks,
    max(value) filter (where metric = 'watch_time_seconds') as watch_time_seconds,
    max(value) filter (where metric = 'subscribers_gained') as subscribers_gained,
    max(value) filter (where metric = 'subscribers_lost') as subscribers_lost,
    max(value) filter (where metric = 'completion_rate') as completion_rate,
    max(value) filter (where metric = 'follower_growth') as follower_growth,
    max(value) filter (where metric = 'posts_published') as posts_published,
    max(value) filter (where metric = 'engagement') as engagement,
    max(value) filter (where metric = 'engagement_rate') as engagement_rate,
    count(*) filter (where not is_complete) as incomplete_metrics,
    max(last_read_at) as last_read_at
from rows
group by period, workspace_id, platform, account_id
