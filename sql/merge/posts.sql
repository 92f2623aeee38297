-- posts after a run: the newest sight of each post wins; a tombstone keeps what was known of the post.
with sights as (
    select *, 0 as arrival from existing
    union all by name
    select *, 1 as arrival from incoming
),
ranked as (
    select
        *,
        row_number() over (
            partition by workspace_id, platform, account_id, post_id order by last_seen_at desc, arrival desc
        ) as rank
    from sights
)
select
    workspace_id,
    platform,
    account_id,
    post_id,
    coalesce(arg_min(post_type, rank) filter (where deleted_at is null), arg_min(post_type, rank)) as post_type,
    arg_min(published_at, rank) filter (where published_at is not null) as published_at,
    arg_min(title, rank) filter (where title is not null) as title,
    arg_min(permalink, rank) filter (where permalink is not null) as permalink,
    arg_min(duration_seconds, rank) filter (where duration_seconds is not null) as duration_seconds,
    min(first_seen_at) as first_seen_at,
    coalesce(max(last_seen_at) filter (where deleted_at is null), max(last_seen_at)) as last_seen_at,
    -- gone since the first run that missed it, unless a later run saw it again
    case
        when max(last_seen_at) filter (where deleted_at is null) > max(deleted_at) then null
        else min(deleted_at)
    end as deleted_at,
    arg_min(metadata, rank) filter (where metadata is not null) as metadata
from ranked
group by workspace_id, platform, account_id, post_id
order by workspace_id, account_id, post_id
