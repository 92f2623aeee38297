-- Metrics of content from the relation `entity_days`. Grain: one metric of one entity at one `date`, which may be the
-- start of any span. See content/canonical.sql.
with
figures as (
    select
        *,
        likes - unlikes as net_likes,
        saves - unsaves as net_saves,
        likes - unlikes + comments + shares + saves - unsaves as engagement,
        completed_full + 0.75 * over_75 + 0.5 * over_50 + 0.25 * over_25 as completed
    from entity_days
),
measured as (
    select
        f.date, f.workspace_id, f.entity_id, f.contents, m.metric,
        cast(case m.metric
            when 'views' then f.views
            when 'impressions' then f.impressions
            when 'feed_impressions' then f.feed_impressions
            when 'swiped_away' then f.swiped_away
            when 'views_with_progress' then f.views_with_progress
            when 'full_views' then f.completed_full
            when 'watch_time_seconds' then f.watch_time_seconds
            when 'likes' then f.net_likes
            when 'comments' then f.comments
            when 'shares' then f.shares
            when 'saves' then f.net_saves
            when 'engagement' then f.engagement
            when 'follows' then f.follows
            when 'unfollows' then f.unfollows
            when 'rewatches' then f.rewatches
            when 'loops' then f.loops
            when 'duets' then f.duets
            when 'stitches' then f.stitches
            when 'sound_uses' then f.sound_uses
            when 'content_reports' then f.reports
            when 'hides' then f.hides
            when 'not_interested' then f.not_interested
            when 'unique_viewers' then f.unique_viewers
        end as double) as value,
        cast(case m.metric
            when 'engagement_rate' then f.engagement
            when 'share_rate' then f.shares
            when 'average_watch_time' then f.watch_time_seconds
            when 'completion_rate' then f.completed
        end as double) as numerator,
        cast(case m.metric
            when 'engagement_rate' then f.views
            when 'share_rate' then f.views
            when 'average_watch_time' then f.views
            when 'completion_rate' then f.views_with_progress
        end as double) as denominator
    from figures as f
    cross join metric_catalog as m
    where list_contains(m.levels, 'content')
),
valued as (
    select * replace (coalesce(value, numerator / nullif(denominator, 0)) as value)
    from measured
)
select * from valued
