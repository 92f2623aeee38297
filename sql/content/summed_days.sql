-- Counts and distinct viewers of days, summed over content items: from the relations `happenings` (rows of content_daily,
-- and others, with an entity_id) and `viewed` (date, workspace_id, entity_id, viewer_hash). Grain: one entity and day.
-- Distinct viewers are counted anew, never summed.
with
sums as (
    select
        date, workspace_id, entity_id,
        count(content_id) as contents,
        cast(coalesce(sum(impressions), 0) as bigint) as impressions,
        cast(coalesce(sum(feed_impressions), 0) as bigint) as feed_impressions,
        cast(coalesce(sum(swiped_away), 0) as bigint) as swiped_away,
        cast(coalesce(sum(views), 0) as bigint) as views,
        cast(coalesce(sum(views_with_progress), 0) as bigint) as views_with_progress,
        coalesce(stable_sum(watch_time_seconds), 0) as watch_time_seconds,
        cast(coalesce(sum(completed_full), 0) as bigint) as completed_full,
        cast(coalesce(sum(over_75), 0) as bigint) as over_75,
        cast(coalesce(sum(over_50), 0) as bigint) as over_50,
        cast(coalesce(sum(over_25), 0) as bigint) as over_25,
        cast(coalesce(sum(likes), 0) as bigint) as likes,
        cast(coalesce(sum(unlikes), 0) as bigint) as unlikes,
        cast(coalesce(sum(comments), 0) as bigint) as comments,
        cast(coalesce(sum(shares), 0) as bigint) as shares,
        cast(coalesce(sum(saves), 0) as bigint) as saves,
        cast(coalesce(sum(unsaves), 0) as bigint) as unsaves,
        cast(coalesce(sum(duets), 0) as bigint) as duets,
        cast(coalesce(sum(stitches), 0) as bigint) as stitches,
        cast(coalesce(sum(sound_uses), 0) as bigint) as sound_uses,
        cast(coalesce(sum(reports), 0) as bigint) as reports,
        cast(coalesce(sum(hides), 0) as bigint) as hides,
        cast(coalesce(sum(not_interested), 0) as bigint) as not_interested,
        cast(coalesce(sum(follows), 0) as bigint) as follows,
        cast(coalesce(sum(unfollows), 0) as bigint) as unfollows,
        cast(coalesce(sum(rewatches), 0) as bigint) as rewatches,
        cast(coalesce(sum(loops), 0) as bigint) as loops
    from happenings
    group by date, workspace_id, entity_id
),
audiences as (
    select date, workspace_id, entity_id, count(distinct viewer_hash) as unique_viewers
    from viewed
    group by date, workspace_id, entity_id
)
select s.*, coalesce(a.unique_viewers, 0) as unique_viewers
from sums as s
left join audiences as a using (date, workspace_id, entity_id)
