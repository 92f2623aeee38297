-- How much each account has published a day since $since ($days days ago). Grain: one account with any known post.
-- Stories are left out: they are read with the account.
select
    platform, workspace_id, account_id,
    count(*) filter (where published_at >= $since and published_at <= $now) / cast($days as double) as posts_per_day
from posts
where deleted_at is null and published_at is not null and coalesce(post_type, '') <> 'story'
group by platform, workspace_id, account_id
