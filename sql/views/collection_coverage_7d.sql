-- Coverage of the last seven days that were asked for, by platform and day: accounts with a value among accounts asked.
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
from collection_status
where date > plus_days((select max(date) from collection_status), -7)
group by platform, date, collection
