-- insight_readings rows of an import. Input: accepted (the checked lines).
select
    *,
    'P1D' as "window",
    read_at as confirmed_at,
    cast(null as double) as numerator,
    cast(null as double) as denominator,
    'import' as source,
    'import' as api,
    cast(null as varchar) as post_type,
    'UTC' as day_timezone,
    $import_id as import_id,
    $import_id as run_id
from accepted
where kind = 'series'
