-- Days that are over and lack values for a reason that needs somebody. Grain: entity, state and reason.
select
    workspace_id, platform, entity_id, state, reason,
    count(distinct metric) as metrics,
    count(distinct date) as days
from daily_metrics
where
    entity_type = $entity_type and date >= $start and date < $end and date < $today
    and state in ('failed', 'not_permitted')
group by all
order by all
