-- How complete daily_metrics is. Grain: one partition that begins in [$start, $end).
select
    cast(date as varchar) as partition_key,
    count(*) as rows,
    count(value) as valued,
    count(*) filter (where is_complete) as complete
from daily_metrics
where
    entity_type = $entity_type
    and date >= $start
    and date < $end
group by date
order by date
