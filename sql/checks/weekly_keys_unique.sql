-- Rows of weekly_metrics in [$start, $end) that share a key. Empty = pass.
select week_start, workspace_id, platform, entity_type, entity_id, account_id, metric, count(*) as rows
from weekly_metrics
where week_start >= $start and week_start < $end
group by all
having count(*) > 1
order by all
