-- What the sums and histograms of real-time buckets should hold, counted from stored events: all metrics but those of
-- distinct values.
-- Grain: one row per workspace, metric, label, bucket and field that is not 0.
-- Inputs: events, fed (the declaration: metric, event_type, kind, measure, field, by_type, with_bots).
-- Window: received_at in [$start, $end), buckets of $width seconds of Unix time.
with counted as (
    select
        e.workspace_id,
        f.metric,
        case when f.by_type then e.event_type end as label,
        bucket_number(e.received_at, $width) as bucket,
        f.field,
        f.kind = 'histogram' as is_histogram,
        case f.measure when 'watched' then coalesce(e.total_watch_time, e.watch_time) else 1 end as value
    from events as e
    inner join fed as f on e.event_type = f.event_type
    where
        e.received_at >= $start
        and e.received_at < $end
        and e.origin = 'api'
        and f.measure <> 'viewer'
        and (f.with_bots or not coalesce(e.is_bot, false))
),
amounts as (
    select workspace_id, metric, label, bucket, field, cast(value as bigint) as amount
    from counted
    where not is_histogram
    union all
    select workspace_id, metric, label, bucket, histogram_field(value) as field, 1 as amount
    from counted
    where is_histogram and value is not null
    union all
    select workspace_id, metric, label, bucket, 's' as field, whole_units(value) as amount
    from counted
    where is_histogram and value is not null
    union all
    select workspace_id, metric, label, bucket, 'sf' as field, millionths(value) as amount
    from counted
    where is_histogram and value is not null
)
select workspace_id, metric, label, bucket, field, cast(sum(amount) as bigint) as amount
from amounts
group by workspace_id, metric, label, bucket, field
having sum(amount) <> 0
order by workspace_id, metric, label, bucket, field
