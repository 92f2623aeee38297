-- collection_status as far as it is known of $as_of, of the days [$first, $end). A later attempt has overwritten the
-- earlier one, so the state of that one is lost and the row only says that the account was read: its counters tell when.
select
    s.* replace (
        case when s.last_read_at <= $as_of then s.state else 'unknown' end as state,
        case when s.last_read_at <= $as_of then s.reason else 'a later attempt has overwritten it' end as reason,
        case when s.last_read_at <= $as_of then s.error_class end as error_class,
        case when s.last_read_at <= $as_of then s.objects end as objects,
        case when s.last_read_at <= $as_of then s.objects_ok end as objects_ok,
        case when s.last_read_at <= $as_of then s.run_id end as run_id,
        case when s.last_read_at <= $as_of then s.last_read_at end as last_read_at,
        case when s.last_value_at > $as_of then r.read_at else s.last_value_at end as last_value_at
    )
from collection_status as s
left join (
    select workspace_id, platform, account_id, date, max(observed_at) as read_at
    from counter_readings
    where date >= $first and date < $end and observed_at <= $as_of and source = 'fetched'
    group by workspace_id, platform, account_id, date
) as r
    on s.collection = 'counters' and r.workspace_id = s.workspace_id and r.platform = s.platform
    and r.account_id = s.account_id and r.date = s.date
where s.date >= $first and s.date < $end and (s.last_read_at <= $as_of or r.read_at is not null)
