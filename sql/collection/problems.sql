-- Metrics whose last attempt failed or was refused since $since. Grain: account, collection, state and reason.
with
needed as (
    -- what no source promises for certain may be missing without anybody having to act
    select platform, level, metric, kind = 'series' as is_series
    from source_catalog
    group by all
    having not bool_and(optional)
)
select
    workspace_id, account_id, collection, state, reason,
    min(s.date) as first_day,
    count(distinct s.date) as days,
    string_agg(distinct s.metric, ', ' order by s.metric) as metrics
from collection_status as s
inner join needed as n
    on n.platform = s.platform and n.level = s.level and n.metric = s.metric
    and n.is_series = (s.collection = 'insights')
where date >= $since and state in ('failed', 'not_permitted')
group by workspace_id, account_id, collection, state, reason
order by workspace_id, account_id, collection, first_day
