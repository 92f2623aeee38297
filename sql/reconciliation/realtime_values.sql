-- Which values the distinct real-time buckets should hold, of stored events.
-- Grain: one row per workspace, metric, label, bucket and value.
-- Inputs: events, fed (the declaration: metric, event_type, measure, by_type, with_bots).
-- Window: received_at in [$start, $end), buckets of $width seconds of Unix time.
select distinct
    e.workspace_id,
    f.metric,
    case when f.by_type then e.event_type end as label,
    bucket_number(e.received_at, $width) as bucket,
    cast(e.viewer_hash as varchar) as value
from events as e
inner join fed as f on e.event_type = f.event_type
where
    e.received_at >= $start
    and e.received_at < $end
    and e.origin = 'api'
    and f.measure = 'viewer'
    and (f.with_bots or not coalesce(e.is_bot, false))
order by workspace_id, metric, label, bucket
