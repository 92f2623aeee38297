-- How complete monthly_metrics is. Grain: one partition that begins in [$start, $end).
select
    cast(month_start as varchar) as partition_key,
    count(*) as rows,
    count(value) as valued,
    count(*) filter (where is_complete) as complete
from monthly_metrics
where
    month_start >= $start
    and month_start < $end
group by month_start
order by month_start
