-- counter_readings as they were known at $as_of, of the days [$first, $end).
select * from counter_readings where date >= $first and date < $end and observed_at <= $as_of
