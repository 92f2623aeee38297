-- counter_readings after an import; the same rule as for insight_readings: what is there stays, what is known is not
-- added again, and a correction is an observation a microsecond later.
with known as (
    select
        i.workspace_id, i.account_id, i.post_id, i.metric, i.source_metric, i.date, i.observed_at,
        max(e.observed_at) as known_at,
        arg_max(e.value, e.observed_at) as known_value,
        arg_max(e.kind, e.observed_at) as known_kind
    from incoming as i
    inner join existing as e
        on e.workspace_id = i.workspace_id and e.platform = i.platform and e.account_id = i.account_id
        and e.post_id is not distinct from i.post_id and e.metric = i.metric and e.source_metric = i.source_metric
        and e.date = i.date and e.source = i.source
        and e.observed_at >= i.observed_at and e.observed_at < i.observed_at + interval 1 second
    group by all
)
select * from existing
union all by name
select i.* replace (coalesce(k.known_at + interval 1 microsecond, i.observed_at) as observed_at)
from incoming as i
left join known as k
    on k.workspace_id = i.workspace_id and k.account_id = i.account_id and k.post_id is not distinct from i.post_id
    and k.metric = i.metric and k.source_metric = i.source_metric and k.date = i.date
    and k.observed_at = i.observed_at
where k.known_at is null or k.known_value is distinct from i.value or k.known_kind is distinct from i.kind
order by workspace_id, account_id, post_id, metric, observed_at
