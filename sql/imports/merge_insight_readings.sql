-- insight_readings after an import. Rows that are there stay as they are, so that a revert takes back exactly what
-- the import added. A reading an earlier import brought is not added again; where the number differs, the new one
-- stands a microsecond after it: a correction is a later reading, and without it the earlier one counts again.
with known as (
    select
        i.workspace_id, i.account_id, i.post_id, i.metric, i.source_metric, i.date, i."window", i.read_at,
        max(e.read_at) as known_at,
        arg_max(e.value, e.read_at) as known_value
    from incoming as i
    inner join existing as e
        on e.workspace_id = i.workspace_id and e.platform = i.platform and e.account_id = i.account_id
        and e.post_id is not distinct from i.post_id and e.metric = i.metric and e.source_metric = i.source_metric
        and e.date = i.date and e."window" = i."window" and e.source = i.source
        and e.read_at >= i.read_at and e.read_at < i.read_at + interval 1 second
    group by all
)
select * from existing
union all by name
select
    i.* replace (
        coalesce(k.known_at + interval 1 microsecond, i.read_at) as read_at,
        coalesce(k.known_at + interval 1 microsecond, i.confirmed_at) as confirmed_at
    )
from incoming as i
left join known as k
    on k.workspace_id = i.workspace_id and k.account_id = i.account_id and k.post_id is not distinct from i.post_id
    and k.metric = i.metric and k.source_metric = i.source_metric and k.date = i.date
    and k."window" = i."window" and k.read_at = i.read_at
where k.known_at is null or k.known_value is distinct from i.value
order by workspace_id, account_id, post_id, metric, read_at
