-- posts after a run: the newest sight of each post wins; a tombstone keeps what was known of the post.
with sights as (
    select *, 0 as arrival from existing
    union all by name
    select *, 1 as arrival from incoming
),
ranked as (
    select
        *,
        -- a tombstone is no sight; a post that is gone was last seen before it was missed
        case when deleted_at is null or last_seen_at < deleted_at then last_seen_at end as alive_at,
        row_number() over (
            partition by workspace_id, platform, account_id, post_id order by last_seen_at desc, arrival desc
        ) as rank
    from sights
),
marked as (
    select
        *,
        max(alive_at) over (partition by workspace_id, platform, account_id, post_id) as last_alive_at
    from ranked
)
select
    workspace_id,
    platform,
    account_id,
    post_id,
    coalesce(arg_min(post_type, rank) filter (where alive_at is not null), arg_min(post_type, rank)) as post_type,
    arg_min(published_at, rank) filter (where published_at is not null) as published_at,
    arg_min(title, rank) filter (where title is not null) as title,
    arg_min(permalink, rank) filter (where permalink is not null) as permalink,
    arg_min(duration_seconds, rank) filter (where duration_seconds is not null) as duration_seconds,
    min(first_seen_at) as first_seen_at,
    coalesce(max(alive_at), max(last_seen_at)) as last_seen_at,
    -- gone since the first run that missed it, unless a later run saw it again
    min(deleted_at) filter (where last_alive_at is null or deleted_at > last_alive_at) as deleted_at,
    arg_min(metadata, rank) filter (where metadata is not null) as metadata
from marked
group by workspace_id, platform, account_id, post_id
order by workspace_id, account_id, post_id
