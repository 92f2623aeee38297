-- Posts that had been seen before $instant and not found gone by then. Grain: one post of $platform.
-- What has no date of publication counts by when it was first seen.
select workspace_id, account_id, post_id, coalesce(published_at, first_seen_at) as published_at
from posts
where
    platform = $platform and first_seen_at < $instant
    and (deleted_at is null or deleted_at >= $instant)
    and coalesce(post_type, '') <> 'story'
order by workspace_id, account_id, post_id
