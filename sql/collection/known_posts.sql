-- Posts to read besides those a listing shows. Grain: one account of $platform.
-- Stories are left out: the listing shows every one that is up, and one that has expired was not deleted.
select workspace_id, account_id, list(post_id order by post_id) as post_ids
from posts
where platform = $platform and deleted_at is null and published_at >= $oldest
    and coalesce(post_type, '') <> 'story'
group by workspace_id, account_id
