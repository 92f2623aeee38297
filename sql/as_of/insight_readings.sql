-- insight_readings as they were known at $as_of, of the measured days [$first, $end). Of a run of equal reads that went
-- on after $as_of only its first read is certain to have been there: what lay in between is not kept.
select * replace (case when confirmed_at <= $as_of then confirmed_at else read_at end as confirmed_at)
from insight_readings
where date >= $first and date < $end and read_at <= $as_of
