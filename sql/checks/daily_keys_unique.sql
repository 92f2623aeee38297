-- Rows of daily_metrics in [$start, $end) that share a key. Empty = pass.
select date, workspace_id, platform, entity_type, entity_id, account_id, metric, count(*) as rows
from daily_metrics
where date >= $start and date < $end
    and entity_type = $entity_type
group by all
having count(*) > 1
order by all
