-- account_history after new facts about some accounts. A row of it, and of incoming, holds two facts, each of which may
-- be missing: a profile (read from profile_read_at to profile_confirmed_at) and a status (since status_at). The versions
-- are built anew from all facts, so they may come in any order and more than once. Where two changes of status carry
-- one instant the later one counts; what a platform leaves out is what it said before.
with told as (
    select *, 0 as arrival from existing
    union all by name
    select *, 1 as arrival from incoming
),
reads as (
    select workspace_id, platform, account_id, name, account_type, profile_read_at as instant, arrival
    from told
    where profile_read_at is not null
    union all by name
    select workspace_id, platform, account_id, name, account_type, profile_confirmed_at as instant, arrival
    from told
    where profile_confirmed_at > profile_read_at
),
profiles as (
    select
        workspace_id,
        platform,
        account_id,
        instant,
        last_value(name ignore nulls) over so_far as name,
        last_value(account_type ignore nulls) over so_far as account_type
    from (
        select *
        from reads
        qualify row_number() over (partition by workspace_id, platform, account_id, instant order by arrival desc) = 1
    ) as one_per_instant
    window so_far as (
        partition by workspace_id, platform, account_id order by instant
        rows between unbounded preceding and current row
    )
),
profile_changes as (
    select
        *,
        case
            when name is distinct from lag(name) over series
                or account_type is distinct from lag(account_type) over series
                or row_number() over series = 1
            then instant
        end as changed_at
    from profiles
    window series as (partition by workspace_id, platform, account_id order by instant)
),
profile_runs as (
    select workspace_id, platform, account_id, name, account_type, read_at, max(instant) as confirmed_at
    from (
        select *, max(changed_at) over (partition by workspace_id, platform, account_id order by instant) as read_at
        from profile_changes
    ) as numbered
    group by workspace_id, platform, account_id, name, account_type, read_at
),
statuses as (
    select workspace_id, platform, account_id, status, reason, status_at, status_number
    from told
    where status_at is not null
    qualify row_number() over (
        partition by workspace_id, platform, account_id, status_at order by status_number desc
    ) = 1
),
status_runs as (
    select *
    from statuses
    window series as (partition by workspace_id, platform, account_id order by status_at)
    qualify row_number() over series = 1
        or status is distinct from lag(status) over series
        or reason is distinct from lag(reason) over series
),
instants as (
    select workspace_id, platform, account_id, read_at as instant, read_at, null as status_at
    from profile_runs
    union all by name
    select workspace_id, platform, account_id, status_at as instant, null as read_at, status_at
    from status_runs
),
starts as (
    select
        workspace_id,
        platform,
        account_id,
        instant,
        max(max(read_at)) over so_far as profile_read_at,
        max(max(status_at)) over so_far as status_at
    from instants
    group by workspace_id, platform, account_id, instant
    window so_far as (partition by workspace_id, platform, account_id order by instant)
),
identities as (
    select workspace_id, platform, account_id, max(external_id) as external_id
    from told
    group by workspace_id, platform, account_id
),
versions as (
    select
        s.workspace_id,
        s.platform,
        s.account_id,
        i.external_id,
        p.name,
        p.account_type,
        t.status,
        t.reason,
        s.instant as valid_from,
        lead(s.instant) over series as valid_to,
        lead(s.instant) over series is null as is_current,
        s.profile_read_at,
        p.confirmed_at as profile_confirmed_at,
        s.status_at,
        t.status_number
    from starts as s
    inner join identities as i
        on i.workspace_id = s.workspace_id and i.platform = s.platform and i.account_id = s.account_id
    left join profile_runs as p
        on p.workspace_id = s.workspace_id
        and p.platform = s.platform
        and p.account_id = s.account_id
        and p.read_at = s.profile_read_at
    left join status_runs as t
        on t.workspace_id = s.workspace_id
        and t.platform = s.platform
        and t.account_id = s.account_id
        and t.status_at = s.status_at
    window series as (partition by s.workspace_id, s.platform, s.account_id order by s.instant)
)
select
    *,
    case
        when row_number() over series > 1 then concat_ws(
            ', ',
            case when name is distinct from lag(name) over series then 'name' end,
            case when account_type is distinct from lag(account_type) over series then 'account_type' end,
            case when status is distinct from lag(status) over series then 'status' end,
            case when reason is distinct from lag(reason) over series then 'reason' end
        )
    end as changed
from versions
window series as (partition by workspace_id, platform, account_id order by valid_from)
order by workspace_id, account_id, valid_from
