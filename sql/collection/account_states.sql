-- What the collections since $since gave. Grain: one account.
with
needed as (
    select platform, level, metric, kind = 'series' as is_series
    from source_catalog
    group by all
    having not bool_and(optional)
),
days as (
    select
        workspace_id, account_id, date,
        max(last_value_at) filter (where collection = 'counters') as last_counters_at,
        max(last_value_at) filter (where collection = 'insights') as last_insights_at,
        bool_or(state in ('value', 'zero')) as has_value,
        count(distinct s.metric) filter (
            where state in ('failed', 'not_permitted') and n.metric is not null
        ) as metrics_missing
    from collection_status as s
    left join needed as n
        on n.platform = s.platform and n.level = s.level and n.metric = s.metric
        and n.is_series = (s.collection = 'insights')
    where date >= $since
    group by all
)
select
    workspace_id, account_id,
    max(last_counters_at) as last_counters_at,
    max(last_insights_at) as last_insights_at,
    count(*) filter (where has_value) as days_with_value,
    count(*) as days_asked,
    max(metrics_missing) as metrics_missing
from days
group by workspace_id, account_id
