-- Grain: one workspace and period in which a metric stands twice: nobody can say which is right. Input: figures.
select distinct date, workspace_id
from (
    select date, workspace_id
    from figures
    group by date, workspace_id, entity_type, entity_id, platform, metric
    having count(*) > 1
)
