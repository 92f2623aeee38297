-- Grain: one content item: what happened in the 24 complete hours before $hour and in the 24 before those, from the
-- relation `hours` (hour_start and counts). recent_volume decays with a half-life of six hours.
select
    workspace_id, content_id,
    coalesce(sum(views) filter (where is_last_day), 0) as views_24h,
    coalesce(sum(likes + comments + shares) filter (where is_last_day), 0) as engagement_24h,
    coalesce(sum(shares) filter (where is_last_day), 0) as shares_24h,
    coalesce(sum(views) filter (where is_day_before), 0) as views_before,
    coalesce(sum(views * pow(0.5, hours_between(hour_start, $hour) / 6.0)) filter (where is_last_day or is_day_before), 0)
        as recent_volume
from (
    select
        *,
        hour_start >= $hour - interval 24 hour and hour_start < $hour as is_last_day,
        hour_start >= $hour - interval 48 hour and hour_start < $hour - interval 24 hour as is_day_before
    from hours
)
group by workspace_id, content_id
