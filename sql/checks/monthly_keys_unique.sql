-- Rows of monthly_metrics in [$start, $end) that share a key. Empty = pass.
select month_start, workspace_id, platform, entity_type, entity_id, account_id, metric, count(*) as rows
from monthly_metrics
where month_start >= $start and month_start < $end
group by all
having count(*) > 1
order by all
