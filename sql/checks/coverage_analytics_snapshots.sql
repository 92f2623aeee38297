-- How complete analytics_snapshots is. Grain: one partition of type $entity_type that begins in [$start, $end).
select
    cast(date as varchar) as partition_key,
    count(*) as rows,
    count(*) filter (where metrics_present > 0) as valued,
    count(*) filter (where is_complete) as complete
from analytics_snapshots
where
    snapshot_type = $entity_type
    and date >= $start
    and date < $end
group by date
order by date
