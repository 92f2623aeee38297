-- The last attempt at each metric of each account for the newest day that was asked for: what is missing, and why.
select
    s.workspace_id,
    s.platform,
    s.account_id,
    s.collection,
    s.level,
    s.metric,
    s."window",
    s.date,
    s.state,
    s.reason,
    s.objects_ok,
    s.objects,
    s.last_read_at,
    s.last_value_at
from collection_status as s
qualify s.date = max(s.date) over (partition by s.workspace_id, s.platform, s.account_id, s.collection)
