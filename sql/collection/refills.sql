-- Account days of series whose last attempt failed and is worth another one: after a failure once it has aged,
-- after a refusal once the account has a newer token. Grain: platform and cause, days in [$start, $end).
with
needed as (
    -- what no source promises for certain is read again with the next scheduled run, not by a run of its own
    select platform, level, metric
    from source_catalog
    where kind = 'series'
    group by all
    having not bool_and(optional)
),
gaps as (
    select s.platform, s.account_id, s.date, s.state as cause
    from collection_status as s
    inner join active_accounts as a using (workspace_id, account_id, platform)
    inner join needed as n on n.platform = s.platform and n.level = s.level and n.metric = s.metric
    where
        s.collection = 'insights' and s.date >= $start and s.date < $end
        and (
            (s.state = 'failed' and s.error_class <> 'config' and s.last_read_at < $retry_before)
            or (s.state = 'not_permitted' and a.credentials_updated_at > s.last_read_at)
        )
)
select
    platform, cause,
    list(distinct account_id order by account_id) as accounts,
    min(date) as first_day,
    max(date) as last_day
from gaps
group by platform, cause
order by last_day desc, platform, cause
