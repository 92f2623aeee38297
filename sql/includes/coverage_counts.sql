-- What was asked and what came, by day, platform and collection. Grain: one of these. Input: the relation `asked`, rows of
-- collection_status.
select
    platform,
    date,
    collection,
    count(distinct workspace_id || '/' || account_id) as accounts_asked,
    count(distinct workspace_id || '/' || account_id) filter (where state in ('value', 'zero')) as accounts_with_value,
    count(distinct workspace_id || '/' || account_id) filter (where state in ('value', 'zero'))
        / count(distinct workspace_id || '/' || account_id) as coverage,
    count(*) filter (where state = 'failed') as metrics_failed,
    count(*) filter (where state = 'not_permitted') as metrics_not_permitted,
    max(last_read_at) as last_read_at
from asked
group by platform, date, collection
