-- Coverage of the last seven days that were asked for, by platform and day: accounts with a value among accounts asked.
with asked as (
    select *
    from collection_status
    where date > plus_days((select max(date) from collection_status), -7)
)
select *
from (
    -- include includes/coverage_counts.sql
)
