-- How complete custom_metric_values is. Grain: one partition of grain $entity_type that begins in [$start, $end).
select
    cast(period_start as varchar) as partition_key,
    count(*) as rows,
    count(value) as valued,
    count(*) filter (where is_complete) as complete
from custom_metric_values
where
    grain = $entity_type
    and is_current
    and period_start >= $start
    and period_start < $end
group by period_start
order by period_start
