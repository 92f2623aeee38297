-- application_reads after an extraction: the latest reading of each day counts.
select table_name, date, max(last_read_at) as last_read_at
from (select * from existing union all by name select * from incoming)
group by table_name, date
order by table_name, date
