-- Posts to read besides those a listing shows. Grain: one account of $platform.
select workspace_id, account_id, list(post_id order by post_id) as post_ids
from posts
where platform = $platform and deleted_at is null and published_at >= $oldest
group by workspace_id, account_id
