-- Grain: one content item on one UTC day: the sum of its hours. Inputs: content_hours, content_numbers.
-- The creator is the one the day's events name, else the one of the content's attributes.
with
days as (
    select
        date, content_no,
        max(creator_id) as creator_id,
        cast(sum(impressions) as bigint) as impressions,
        cast(sum(feed_impressions) as bigint) as feed_impressions,
        cast(sum(swiped_away) as bigint) as swiped_away,
        cast(sum(views) as bigint) as views,
        cast(sum(views_with_progress) as bigint) as views_with_progress,
        stable_sum(watch_time_seconds) as watch_time_seconds,
        cast(sum(completed_full) as bigint) as completed_full,
        cast(sum(over_75) as bigint) as over_75,
        cast(sum(over_50) as bigint) as over_50,
        cast(sum(over_25) as bigint) as over_25,
        cast(sum(under_25) as bigint) as under_25,
        cast(sum(likes) as bigint) as likes,
        cast(sum(unlikes) as bigint) as unlikes,
        cast(sum(comments) as bigint) as comments,
        cast(sum(shares) as bigint) as shares,
        cast(sum(saves) as bigint) as saves,
        cast(sum(unsaves) as bigint) as unsaves,
        cast(sum(duets) as bigint) as duets,
        cast(sum(stitches) as bigint) as stitches,
        cast(sum(sound_uses) as bigint) as sound_uses,
        cast(sum(reports) as bigint) as reports,
        cast(sum(hides) as bigint) as hides,
        cast(sum(not_interested) as bigint) as not_interested,
        cast(sum(follows) as bigint) as follows,
        cast(sum(unfollows) as bigint) as unfollows,
        cast(sum(rewatches) as bigint) as rewatches,
        cast(sum(loops) as bigint) as loops,
        cast(sum(pauses) as bigint) as pauses,
        cast(sum(resumes) as bigint) as resumes,
        cast(sum(seeks) as bigint) as seeks,
        cast(sum(views_organic) as bigint) as views_organic,
        cast(sum(views_following) as bigint) as views_following,
        cast(sum(views_profile) as bigint) as views_profile,
        cast(sum(views_hashtag) as bigint) as views_hashtag,
        cast(sum(views_search) as bigint) as views_search,
        cast(sum(views_direct) as bigint) as views_direct,
        cast(sum(views_other) as bigint) as views_other,
        cast(sum(views_mobile) as bigint) as views_mobile,
        cast(sum(views_tablet) as bigint) as views_tablet,
        cast(sum(views_desktop) as bigint) as views_desktop,
        cast(sum(views_tv) as bigint) as views_tv,
        cast(sum(views_ios) as bigint) as views_ios,
        cast(sum(views_android) as bigint) as views_android,
        cast(sum(views_web) as bigint) as views_web
    from content_hours
    group by date, content_no
)
select
    n.workspace_id, n.content_id,
    d.* replace (coalesce(d.creator_id, n.creator_id) as creator_id)
from days as d
inner join content_numbers as n on n.content_no = d.content_no
