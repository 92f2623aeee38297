-- counter_readings rows of an import. Input: accepted (the checked lines).
select
    * exclude (read_at),
    read_at as observed_at,
    -- one that was taken after its day stands for the day's last hour
    case when utc_day(read_at) = date then extract(hour from read_at) else 23 end as hour,
    cast(null as double) as numerator,
    cast(null as double) as denominator,
    'import' as source,
    'import' as api,
    cast(null as varchar) as post_type,
    'UTC' as day_timezone,
    $import_id as import_id,
    $import_id as run_id
from accepted
where kind <> 'series'
