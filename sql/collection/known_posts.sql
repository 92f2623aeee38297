-- Posts to read besides those a listing shows. Grain: one post of $platform.
-- Stories are left out: the listing shows every one that is up, and one that has expired was not deleted.
-- What has no date of publication (a message template) counts by when it was last seen.
select workspace_id, account_id, post_id, coalesce(published_at, last_seen_at) as published_at
from posts
where platform = $platform and deleted_at is null and coalesce(published_at, last_seen_at) >= $oldest
    and coalesce(post_type, '') <> 'story'
order by workspace_id, account_id, post_id
