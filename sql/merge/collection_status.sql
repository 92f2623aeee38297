-- collection_status after a run: the last attempt per key stands, and it remembers when a value last came.
-- A look at which no post was due does not hide what became of the day's posts before.
with attempts as (
    select *, 0 as arrival from existing
    union all by name
    select *, 1 as arrival from incoming
)
select
    * exclude (arrival, last_value_at),
    max(last_value_at) over (
        partition by workspace_id, platform, account_id, collection, level, metric, "window", date
    ) as last_value_at
from attempts
qualify row_number() over (
    partition by workspace_id, platform, account_id, collection, level, metric, "window", date
    order by objects > 0 desc, last_read_at desc, arrival desc
) = 1
order by workspace_id, account_id, level, metric
