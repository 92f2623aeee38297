-- How complete weekly_metrics is. Grain: one partition that begins in [$start, $end).
select
    cast(week_start as varchar) as partition_key,
    count(*) as rows,
    count(value) as valued,
    count(*) filter (where is_complete) as complete
from weekly_metrics
where
    week_start >= $start
    and week_start < $end
group by week_start
order by week_start
