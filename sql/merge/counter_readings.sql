-- counter_readings after new observations. Every observation is kept; the same one twice is one row, and the
-- one that comes later wins, so that a replay can correct a parser's mistake.
select * exclude (arrival)
from (
    select *, 0 as arrival from existing
    union all by name
    select *, 1 as arrival from incoming
)
qualify row_number() over (
    partition by workspace_id, platform, account_id, post_id, metric, source_metric, observed_at, source
    order by arrival desc
) = 1
order by workspace_id, account_id, post_id, metric, observed_at
