-- When each account was last read whole before $before: no metric of $level was cut short by a failure that may pass.
-- Grain: one account of $platform.
with
days as (
    select
        workspace_id, account_id, date,
        max(last_read_at) as read_at,
        bool_and(coalesce(error_class, '') not in ('retry', 'wait', 'reauth', 'stop_platform')) as is_whole
    from collection_status
    where platform = $platform and collection = 'counters' and level = $level and date >= $since
    group by all
)
select workspace_id, account_id, max(read_at) as read_at
from days
where is_whole and read_at < $before
group by workspace_id, account_id
