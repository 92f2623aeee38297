-- Posts that had been seen before $instant and not found gone by then. Grain: one post of $platform.
select workspace_id, account_id, post_id, published_at
from posts
where
    platform = $platform and first_seen_at < $instant
    and (deleted_at is null or deleted_at >= $instant)
    and published_at is not null and coalesce(post_type, '') <> 'story'
order by workspace_id, account_id, post_id
