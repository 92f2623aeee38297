-- Grain: the one value of (workspace, platform, account, post, metric, day) among its candidates:
-- one that has a value before one that has none, then series > counter and gauge > import.
select
    * exclude (is_complete),
    is_complete and date < utc_day($now) and value is not null as is_complete
from measured
qualify row_number() over (
    partition by workspace_id, platform, account_id, post_id, metric, date
    order by value is null, precedence, last_read_at desc
) = 1
