-- events that had been received by $as_of, of the days [$first, $end).
select * from events where date >= $first and date < $end and received_at <= $as_of
