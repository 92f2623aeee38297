-- Grain: the one value of (workspace, platform, account, post, metric, day) among its candidates:
-- one that has a value before one that has none, then series > counter and gauge > import. earlier_value is the
-- last known one at most $lookback_days before; it is only there for levels.
with
chosen_days as (
    select
        * exclude (is_complete),
        is_complete and date < utc_day($now) and value is not null as is_complete
    from measured
    qualify row_number() over (
        partition by workspace_id, platform, account_id, post_id, metric, date
        order by value is null, precedence, last_read_at desc
    ) = 1
),
known_before as (
    select
        *,
        lag(value) over days as earlier_value,
        lag(date) over days as earlier_date
    from chosen_days
    window days as (partition by workspace_id, platform, account_id, post_id, metric order by date)
)
select
    * exclude (earlier_value, earlier_date),
    case when days_between(earlier_date, date) <= $lookback_days then earlier_value end as earlier_value,
    case when days_between(earlier_date, date) <= $lookback_days then earlier_date end as earlier_date
from known_before
where date >= $start
