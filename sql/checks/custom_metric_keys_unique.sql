-- Rows of custom_metric_values of grain $entity_type in [$start, $end) that share a key, or of which two versions claim to
-- be in force. Empty = pass.
select
    period_start,
    workspace_id,
    definition_id,
    dimensions,
    count(*) as rows,
    count(*) filter (where is_current) as current_rows
from custom_metric_values
where grain = $entity_type and period_start >= $start and period_start < $end
group by all
having count(*) > count(distinct version) or count(distinct version) filter (where is_current) > 1
order by all
