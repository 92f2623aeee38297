-- content_totals: everything a content item gathered up to and with $through, a day that no event can still reach.
-- Grain: one content item. Hours expire, so the peak found earlier stays, if its span began before $peaks_again: what
-- is later is looked for anew, since closed days have lost events.
with
parts as (
    select *, date as first_date, date as last_date
    from content_daily
    where date <= $through
),
sums as (
    -- include content/lifetime_sums.sql
),
hours as (
    select workspace_id, content_id, views, day_start(date) + hours(hour) as hour_start
    from content_hourly
    where date <= $through and date >= $peaks_from
),
peaks as (
    -- include content/peaks.sql
),
earlier as (
    select workspace_id, content_id, peak_views, peak_at
    from content_totals
    where peak_at - interval 24 hour < $peaks_again
)
select
    s.*,
    $through as through_date,
    greatest(p.peak_views, e.peak_views) as peak_views,
    case
        when e.peak_views is null or p.peak_views > e.peak_views then p.peak_at
        else e.peak_at
    end as peak_at
from sums as s
left join peaks as p using (workspace_id, content_id)
left join earlier as e using (workspace_id, content_id)
order by workspace_id, content_id
