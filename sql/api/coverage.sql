-- Accounts with a value among accounts asked, by day, platform and collection, of one workspace or of all.
select
    date,
    platform,
    collection,
    count(distinct workspace_id || '/' || account_id) as accounts_asked,
    count(distinct workspace_id || '/' || account_id) filter (where state in ('value', 'zero')) as accounts_with_value,
    count(distinct workspace_id || '/' || account_id) filter (where state in ('value', 'zero'))
        / count(distinct workspace_id || '/' || account_id) as coverage,
    count(*) filter (where state = 'failed') as metrics_failed,
    count(*) filter (where state = 'not_permitted') as metrics_not_permitted,
    max(last_read_at) as last_read_at
from collection_status
where
    (cast($workspace_id as varchar) is null or workspace_id = $workspace_id)
    and (cast($platform as varchar) is null or platform = $platform)
group by date, platform, collection
order by date desc, platform, collection
