-- What stands out in [$start, $end), most first. Grain: one anomaly.
select date, workspace_id, platform, explanation
from anomalies
where date >= $start and date < $end
order by date, abs(z) desc, workspace_id, platform, entity_type, entity_id, metric
