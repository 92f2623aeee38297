-- content_metrics: the present state of every content item. Grain: one content item.
-- Inputs: content_totals and content_ages (closed days, up to $through), content_hourly (days after it, up to $today),
-- view_times_*, content_viewers, content. $hour: start of the running hour; $floor: views per hour that trending takes;
-- $oldest: the first day whose hours are kept. What the columns mean: docs/metrics.md, "Content events".
with
parts as (
    select * from content_totals
    union all by name
    select *, date as first_date, date as last_date
    from content_hourly
    where date > $through and date <= $today
),
sums as (
    -- include content/lifetime_sums.sql
),
hours as (
    select workspace_id, content_id, views, likes, comments, shares, day_start(date) + hours(hour) as hour_start
    from content_hourly
    where date >= $recent and date <= $today
),
peaks as (
    -- include content/peaks.sql
),
velocity as (
    -- include content/velocity.sql
),
medians as (
    -- include content/medians.sql
),
items as (
    select
        s.* exclude (creator_id),
        coalesce(a.creator_id, s.creator_id) as creator_id,
        a.content_type, a.published_at, a.deleted_at,
        coalesce(a.published_at, day_start(s.first_date)) as exists_since,
        a.published_at is null as age_is_assumed,
        coalesce(v.views_24h, 0) as views_24h,
        coalesce(v.engagement_24h, 0) as engagement_24h,
        coalesce(v.shares_24h, 0) as shares_24h,
        coalesce(v.views_before, 0) as views_before,
        coalesce(v.recent_volume, 0) as recent_volume,
        greatest(0, hours_between(coalesce(a.published_at, day_start(s.first_date)), $hour)) as hours_existed,
        u.unique_viewers, u.approximate, u.error_bound,
        m.median_watch_time,
        greatest(t.peak_views, p.peak_views) as peak_views,
        case when t.peak_views is null or p.peak_views > t.peak_views then p.peak_at else t.peak_at end as peak_at
    from sums as s
    left join content as a using (workspace_id, content_id)
    left join velocity as v using (workspace_id, content_id)
    left join content_viewers as u using (workspace_id, content_id)
    left join medians as m using (workspace_id, content_id)
    left join peaks as p using (workspace_id, content_id)
    left join content_totals as t using (workspace_id, content_id)
),
trends as (
    -- include content/trends.sql
),
benchmarks as (
    -- include content/age_matched.sql
),
parts_of_rates as (
    select
        *,
        completed_full + 0.75 * over_75 + 0.5 * over_50 + 0.25 * over_25 as completion_sum,
        (likes - unlikes) + comments + shares + (saves - unsaves) as engagement_net,
        likes + comments + shares as engagement_v1_sum
    from items
),
trials as (
    select workspace_id, 'completion' as rate, completion_sum as successes, views_with_progress as trials
    from parts_of_rates
    union all
    select workspace_id, 'engagement', greatest(0, engagement_net), views from parts_of_rates
    union all
    select workspace_id, 'share', shares, views from parts_of_rates
    union all
    select workspace_id, 'rewatch', rewatches, unique_viewers from parts_of_rates
),
priors as (
    -- include content/rate_priors.sql
),
workspace_priors as (
    select
        workspace_id,
        max(mean) filter (where rate = 'completion') as completion_mean,
        max(m) filter (where rate = 'completion') as completion_m,
        max(mean) filter (where rate = 'engagement') as engagement_mean,
        max(m) filter (where rate = 'engagement') as engagement_m,
        max(mean) filter (where rate = 'share') as share_mean,
        max(m) filter (where rate = 'share') as share_m,
        max(mean) filter (where rate = 'rewatch') as rewatch_mean,
        max(m) filter (where rate = 'rewatch') as rewatch_m
    from priors
    group by workspace_id
),
rated as (
    select
        i.*,
        i.completion_sum / nullif(i.views_with_progress, 0) as completion_rate,
        i.engagement_net / nullif(i.views, 0) as engagement_rate,
        i.engagement_v1_sum / nullif(i.views, 0) as engagement_rate_v1,
        i.shares / nullif(i.views, 0) as share_rate,
        i.rewatches / nullif(i.unique_viewers, 0) as rewatch_rate,
        (i.completion_sum + p.completion_m * p.completion_mean) / (i.views_with_progress + p.completion_m)
            as completion_shrunk,
        (i.engagement_net + p.engagement_m * p.engagement_mean) / (i.views + p.engagement_m) as engagement_shrunk,
        (i.shares + p.share_m * p.share_mean) / (i.views + p.share_m) as share_shrunk,
        case
            when i.unique_viewers is null then p.rewatch_mean -- not counted yet
            else (i.rewatches + p.rewatch_m * p.rewatch_mean) / (i.unique_viewers + p.rewatch_m)
        end as rewatch_shrunk,
        i.views / (i.views + p.engagement_m) as quality_confidence
    from parts_of_rates as i
    left join workspace_priors as p using (workspace_id)
),
scored as (
    select
        *,
        -- rounded: sums of another order must not make another score
        case when views > 0 then round(greatest(0,
            0.35 * 100 * coalesce(completion_rate, 0)
            + 0.30 * least(100, 100 * engagement_rate_v1 / 0.20)
            + 0.20 * least(100, 100 * share_rate / 0.05)
            + 0.15 * least(100, 100 * coalesce(rewatch_rate, 0) / 0.30)
        ), 9) end as quality_score_v1,
        case when views >= 5 then round(greatest(0,
            0.35 * 100 * coalesce(completion_shrunk, 0)
            + 0.30 * least(100, 100 * engagement_shrunk / 0.20)
            + 0.20 * least(100, 100 * share_shrunk / 0.05)
            + 0.15 * least(100, 100 * coalesce(rewatch_shrunk, 0) / 0.30)
        ), 9) end as quality_score
    from rated
),
compared as (
    select
        *,
        round(quality_score / nullif(avg(quality_score) over (partition by workspace_id, creator_id), 0), 9)
            as vs_creator_average,
        round(quality_score / nullif(avg(quality_score) over (partition by workspace_id), 0), 9)
            as vs_platform_average,
        case when quality_score is not null then
            percent_rank() over (partition by workspace_id, quality_score is null order by quality_score)
        end as rank,
        case when quality_score is not null then
            row_number() over (partition by workspace_id, quality_score is null order by quality_score desc, content_id)
        end as rank_position
    from scored
)
select
    c.* exclude (
        first_date, last_date, exists_since, completion_sum, engagement_net, engagement_v1_sum, completion_shrunk,
        engagement_shrunk, share_shrunk, rewatch_shrunk, quality_confidence, peak_views, recent_volume, approximate
    ),
    c.first_date, c.last_date,
    c.watch_time_seconds / nullif(c.views, 0) as average_watch_time,
    case when c.views >= 5 then round(c.quality_confidence, 9) end as quality_confidence,
    c.views_24h / greatest(1, least(24, c.hours_existed)) as views_per_hour,
    c.engagement_24h / greatest(1, least(24, c.hours_existed)) as engagement_per_hour,
    c.shares_24h / greatest(1, least(24, c.hours_existed)) as shares_per_hour,
    c.views_24h / 24 as views_per_hour_v1,
    c.peak_views / 24 as peak_views_per_hour,
    t.trend, t.trend_v1,
    t.trend = 'rising' and c.views_24h / greatest(1, least(24, c.hours_existed)) >= $floor as is_trending,
    t.trend_v1 = 'rising' and c.views_24h / 24 >= 100 as is_trending_v1,
    case when t.trend = 'rising' then round(c.recent_volume * t.z, 9) end as trending_score,
    round(t.mu, 9) as expected_views,
    round(t.z, 9) as trend_z,
    b.age_matched_views, b.age_matched_items, b.vs_age_matched,
    coalesce(c.approximate, false) as approximate,
    $now as computed_at
from compared as c
left join trends as t using (workspace_id, content_id)
left join benchmarks as b using (workspace_id, content_id)
order by c.workspace_id, c.content_id
