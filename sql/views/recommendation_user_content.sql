-- What is known of a signed-in person and a content item: how much they watched of it and how they reacted, over the
-- days that watch_days keeps. One row per person and content item; views is 0 where they only reacted. Likes and saves
-- are net of those taken back. No score on purpose: what a save weighs against a finished view is the application's.
with
known as (
    select
        workspace_id, user_id, content_id,
        arg_max(creator_id, date) filter (where creator_id is not null) as creator_id,
        min(first_watched_at) as first_watched_at,
        max(last_watched_at) as last_watched_at,
        max(date) as last_date,
        count(*) filter (where views > 0) as days_watched,
        sum(views)::bigint as views,
        stable_sum(watch_time_seconds) as watch_time_seconds,
        max(furthest_percent) as furthest_percent,
        bool_or(is_completed) as is_completed,
        sum(likes - unlikes)::bigint as likes,
        sum(saves - unsaves)::bigint as saves,
        sum(shares)::bigint as shares,
        sum(comments)::bigint as comments,
        sum(not_interested)::bigint as not_interested,
        sum(hides)::bigint as hides,
        sum(reports)::bigint as reports
    from watch_days
    group by workspace_id, user_id, content_id
)
select
    k.workspace_id, k.user_id, k.content_id,
    coalesce(c.creator_id, k.creator_id) as creator_id,
    c.content_type,
    k.first_watched_at, k.last_watched_at, k.last_date, k.days_watched, k.views, k.watch_time_seconds,
    k.furthest_percent, k.is_completed,
    k.watch_time_seconds / nullif(k.views * c.duration_seconds, 0) as watched_share,
    k.likes, k.saves, k.shares, k.comments, k.not_interested, k.hides, k.reports
from known as k
left join content as c on c.workspace_id = k.workspace_id and c.content_id = k.content_id
