-- What changed, by workspace (whole) and by account. Grain: workspace, kind of message, account or all of them.
select
    workspace_id,
    type,
    account_id,
    grouping(account_id) = 1 as whole,
    min(day) as first,
    max(day) as last,
    list_sort(list(distinct platform))[:$names + 1] as platforms,
    list_sort(list(distinct metric))[:$names + 1] as metrics,
    list_sort(list(distinct entity_type || ':' || entity_id))[:$entities + 1] as entities
from changed
group by grouping sets ((workspace_id, type), (workspace_id, type, account_id))
having whole or account_id is not null
order by workspace_id, type, whole desc, account_id
