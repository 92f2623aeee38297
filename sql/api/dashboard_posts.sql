-- A workspace's posts by what the days [$first, $end) added to them, most engaged with first, then most viewed. Grain:
-- one post. Inputs: daily_metrics, posts.
with
sums as (
    select
        platform, account_id, entity_id as post_id,
        stable_sum(case when metric = 'engagement' then value end) as engagement,
        stable_sum(case when metric = 'views' then value end) as views,
        stable_sum(case when metric = 'impressions' then value end) as impressions,
        stable_sum(case when metric = 'likes' then value end) as likes,
        stable_sum(case when metric = 'comments' then value end) as comments,
        stable_sum(case when metric = 'shares' then value end) as shares,
        stable_sum(case when metric = 'saves' then value end) as saves,
        max(last_read_at) as last_read_at
    from daily_metrics
    where
        workspace_id = $workspace_id and entity_type = 'post' and date >= $first and date < $end
        and metric in ('engagement', 'views', 'impressions', 'likes', 'comments', 'shares', 'saves')
    group by platform, account_id, entity_id
),
best as (
    select *
    from sums
    where engagement is not null or views is not null
    order by engagement desc nulls last, views desc nulls last, platform, account_id, post_id
    limit 5
)
select
    b.platform, b.account_id, b.post_id, p.post_type, p.title, p.permalink, p.published_at,
    b.engagement, b.views, b.impressions, b.likes, b.comments, b.shares, b.saves, b.last_read_at
from best as b
left join posts as p
    on p.workspace_id = $workspace_id and p.platform = b.platform and p.account_id = b.account_id
    and p.post_id = b.post_id
order by b.engagement desc nulls last, b.views desc nulls last, b.platform, b.account_id, b.post_id
