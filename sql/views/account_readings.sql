-- Narrow rows of what platforms said: one newest reading per account or post (post_id null = account), metric and day.
select
    workspace_id, platform, account_id, source, metric, value, date, post_id, metadata,
    'series' as kind,
    "window",
    read_at as last_changed_at
from insight_readings
qualify row_number() over (
    partition by workspace_id, platform, account_id, post_id, metric, source, date, "window"
    order by read_at desc, source_metric
) = 1
union all by name
select
    workspace_id, platform, account_id, source, metric, value, date, post_id, metadata,
    kind,
    'PT0S' as "window",
    observed_at as last_changed_at
from counter_readings
qualify row_number() over (
    partition by workspace_id, platform, account_id, post_id, metric, source, date
    order by observed_at desc, source_metric
) = 1
