-- Calls that one account took per partition of a run, over the raw responses kept. Grain: one row.
with
turns as (
    select
        run_id, workspace_id, account_id, window_start, window_end,
        count(*) as calls,
        greatest(1, date_diff($unit, window_start, window_end)) as partitions
    from api_responses
    where platform = $platform and collection = $collection
    group by all
)
select sum(calls) / sum(partitions) as calls_per_partition
from turns
