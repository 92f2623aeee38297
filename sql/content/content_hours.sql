-- Grain: one content item in one UTC hour of the relation built_hours. Inputs: counted_events of [$start, $end),
-- followed_views, content_numbers. Views and all their figures stand in the hour of their view_start, other events in
-- their own.
with
happenings as (
    select
        e.date,
        utc_hour(e.event_ts) as hour,
        e.workspace_id, e.content_id, e.creator_id, e.event_type,
        e.event_type = 'impression' and lower(trim(e.source_type)) in ('for_you', 'organic', 'following') as is_in_feed,
        e.event_type = 'view_start' and e.is_rewatch as is_rewatch,
        case when e.event_type = 'view_start' then content_source(e.source_type) end as source,
        case when e.event_type = 'view_start' then lower(e.device_type) end as device_type,
        case when e.event_type = 'view_start' then lower(e.device_platform) end as device_platform
    from counted_events as e
    inner join built_hours as b on b.date = e.date and b.hour = utc_hour(e.event_ts)
    where
        e.date >= $first_day and e.date < $end_day and e.event_ts >= $start and e.event_ts < $end
        and e.content_id is not null and e.event_type not in ('view_progress', 'view_complete', 'loop')
),
counted as (
    select
        date, hour, workspace_id, content_id,
        max(creator_id) as creator_id,
        count(*) filter (where event_type = 'impression') as impressions,
        count(*) filter (where is_in_feed) as feed_impressions,
        count(*) filter (where event_type = 'swipe_away') as swiped_away,
        count(*) filter (where event_type = 'view_start') as views,
        count(*) filter (where event_type = 'like') as likes,
        count(*) filter (where event_type = 'unlike') as unlikes,
        count(*) filter (where event_type = 'comment') as comments,
        count(*) filter (where event_type = 'share') as shares,
        count(*) filter (where event_type = 'save') as saves,
        count(*) filter (where event_type = 'unsave') as unsaves,
        count(*) filter (where event_type = 'duet') as duets,
        count(*) filter (where event_type = 'stitch') as stitches,
        count(*) filter (where event_type = 'sound_use') as sound_uses,
        count(*) filter (where event_type = 'report') as reports,
        count(*) filter (where event_type = 'hide') as hides,
        count(*) filter (where event_type = 'not_interested') as not_interested,
        count(*) filter (where event_type = 'follow') as follows,
        count(*) filter (where event_type = 'unfollow') as unfollows,
        count(*) filter (where is_rewatch) as rewatches,
        count(*) filter (where event_type = 'pause') as pauses,
        count(*) filter (where event_type = 'resume') as resumes,
        count(*) filter (where event_type = 'seek') as seeks,
        count(*) filter (where source = 'organic') as views_organic,
        count(*) filter (where source = 'following') as views_following,
        count(*) filter (where source = 'profile') as views_profile,
        count(*) filter (where source = 'hashtag') as views_hashtag,
        count(*) filter (where source = 'search') as views_search,
        count(*) filter (where source = 'direct') as views_direct,
        count(*) filter (where source = 'other') as views_other,
        count(*) filter (where device_type = 'mobile') as views_mobile,
        count(*) filter (where device_type = 'tablet') as views_tablet,
        count(*) filter (where device_type = 'desktop') as views_desktop,
        count(*) filter (where device_type = 'tv') as views_tv,
        count(*) filter (where device_platform = 'ios') as views_ios,
        count(*) filter (where device_platform = 'android') as views_android,
        count(*) filter (where device_platform = 'web') as views_web
    from happenings
    group by date, hour, workspace_id, content_id
),
watched as (
    select
        date, hour, content_no,
        count(furthest) as views_with_progress,
        stable_sum(watch_time_seconds) as watch_time_seconds,
        count(*) filter (where furthest >= 99) as completed_full,
        count(*) filter (where furthest >= 75 and furthest < 99) as over_75,
        count(*) filter (where furthest >= 50 and furthest < 75) as over_50,
        count(*) filter (where furthest >= 25 and furthest < 50) as over_25,
        count(*) filter (where furthest < 25) as under_25,
        cast(sum(loops) as bigint) as loops
    from followed_views
    group by date, hour, content_no
)
select
    c.date, c.hour, n.content_no, c.workspace_id, c.content_id, c.creator_id,
    c.impressions, c.feed_impressions, c.swiped_away, c.views,
    coalesce(w.views_with_progress, 0) as views_with_progress,
    coalesce(w.watch_time_seconds, 0) as watch_time_seconds, coalesce(w.completed_full, 0) as completed_full,
    coalesce(w.over_75, 0) as over_75, coalesce(w.over_50, 0) as over_50, coalesce(w.over_25, 0) as over_25,
    coalesce(w.under_25, 0) as under_25, c.likes, c.unlikes, c.comments, c.shares, c.saves, c.unsaves, c.duets,
    c.stitches, c.sound_uses, c.reports, c.hides, c.not_interested, c.follows, c.unfollows, c.rewatches,
    coalesce(w.loops, 0) as loops, c.pauses, c.resumes, c.seeks, c.views_organic, c.views_following, c.views_profile,
    c.views_hashtag, c.views_search, c.views_direct, c.views_other, c.views_mobile, c.views_tablet, c.views_desktop,
    c.views_tv, c.views_ios, c.views_android, c.views_web
from counted as c
inner join content_numbers as n on n.workspace_id = c.workspace_id and n.content_id = c.content_id
left join watched as w on w.date = c.date and w.hour = c.hour and w.content_no = n.content_no
