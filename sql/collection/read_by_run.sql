-- What one run of today read. Grain: one row.
select count(*) as readings, count(distinct post_id) as posts
from counter_readings
where platform = $platform and date = $today and run_id = $run_id
