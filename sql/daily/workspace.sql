-- daily_metrics, entity_type 'workspace'. Grain: one metric of one workspace on one day in [$start, $end), per
-- platform, and as platform 'all' where the unit is comparable. Inputs: daily_metrics (accounts of the same days
-- and of the $carry_days before). Sums are over accounts with a value; entities_expected says how many should
-- have one: also those that nobody asked today but were asked in the $carry_days before. A level that was not
-- read today counts with its last value for $carry_days days, then the sum is null. No row where nobody was asked.
-- What the application itself knows, its content and its messages, is platform 'app', and never part of 'all'.
with
account_rows as (
    select d.*, m.additivity, m.across_entities, m.comparable
    from daily_metrics as d
    inner join metric_catalog as m using (metric)
    where
        d.entity_type = 'account' and d.state <> 'stale' -- nobody asked: what was known before may still count
        and d.date >= plus_days($start, -$carry_days) and d.date < $end
        -- what the application knows of messages is counted anew for the workspace
        and d.platform <> 'app' and list_contains(m.levels, 'workspace')
),
today as (
    select * from account_rows where date >= $start and state <> 'not_supported'
),
asked_days as (
    select distinct date, workspace_id, metric from today
),
gaps as (
    -- rows whose account has none on the day after
    select *, coalesce(next_date, $end) as gap_end
    from (
        select
            *,
            lead(date) over (partition by workspace_id, platform, account_id, metric order by date) as next_date
        from account_rows
    )
    where plus_days(date, 1) < coalesce(next_date, $end) and state <> 'not_supported'
),
absent as (
    select
        a.date, e.workspace_id, e.platform, e.account_id, e.metric, e.additivity, e.across_entities, e.comparable,
        e.definition_version,
        false as is_complete,
        'not asked' as reason,
        1 as readings_expected
    from gaps as e
    inner join asked_days as a
        on a.workspace_id = e.workspace_id and a.metric = e.metric
        and a.date > e.date and a.date < e.gap_end and a.date <= plus_days(e.date, $carry_days)
),
expected as (
    select *, true as is_asked from today
    union all by name
    select *, false as is_asked from absent
),
last_levels as (
    select
        t.date, t.workspace_id, t.platform, t.account_id, t.metric,
        arg_max(e.value, e.date) as carried_value
    from expected as t
    inner join account_rows as e
        on e.workspace_id = t.workspace_id and e.platform = t.platform and e.account_id = t.account_id
        and e.metric = t.metric and e.date < t.date and e.date >= plus_days(t.date, -$carry_days) and e.value is not null
    where t.additivity = 'last_value' and t.value is null
    group by all
),
members as (
    select t.*, coalesce(t.value, l.carried_value) as counted_value
    from expected as t
    left join last_levels as l using (date, workspace_id, platform, account_id, metric)
),
groups as (
    select *, platform as platform_group from members
    union all by name
    select *, 'all' as platform_group from members where comparable
),
sums as (
    select
        date, workspace_id, metric,
        platform_group as platform,
        any_value(additivity) as additivity,
        any_value(across_entities) as across_entities,
        count(*) as entities_expected,
        count(value) as entities_present,
        count(counted_value) as entities_counted,
        stable_sum(counted_value) as total,
        stable_sum(case when denominator is not null then numerator end) as numerator,
        stable_sum(case when numerator is not null then denominator end) as denominator,
        any_value(value) as only_value,
        min(reason) filter (where value is null) as missing_reason,
        bool_and(is_complete) as is_complete,
        coalesce(bool_or(is_provisional), false) as is_provisional,
        max(definition_version) as definition_version,
        coalesce(sum(readings), 0) as readings,
        sum(readings_expected) as readings_expected,
        max(days_spanned) as days_spanned,
        max(last_read_at) as last_read_at,
        min(day_timezone) as day_timezone,
        coalesce(bool_or(approximate), false) as approximate
    from groups
    where across_entities <> 'none'
    group by all
    having bool_or(is_asked)
),
valued as (
    select
        *,
        case
            when across_entities = 'ratio' then numerator / nullif(denominator, 0)
            when across_entities = 'unique' then case when entities_expected = 1 then only_value end
            when additivity = 'last_value' then case when entities_counted = entities_expected then total end
            else total
        end as value
    from sums
),
of_accounts as (
    select
        date, workspace_id, platform,
        'workspace' as entity_type,
        workspace_id as entity_id,
        cast(null as varchar) as account_id,
        metric,
        value,
        cast(null as double) as lifetime_value,
        case when across_entities = 'ratio' then numerator end as numerator,
        case when across_entities = 'ratio' then denominator end as denominator,
        case
            when value = 0 then 'zero'
            when value is not null then 'value'
            when across_entities = 'ratio' and denominator = 0 then 'insufficient_data'
            when across_entities = 'ratio' then 'no_components'
            when across_entities = 'unique' and entities_present > 0 then 'not_supported'
            else 'unknown'
        end as state,
        case
            when value is null and across_entities = 'unique' and entities_present > 0
                then 'distinct people cannot be summed over accounts'
            when value is null and additivity = 'last_value'
                then (entities_expected - entities_counted) || ' of ' || entities_expected
                    || ' accounts without a value for more than ' || $carry_days || ' days'
            when value is null and across_entities = 'ratio' and denominator = 0 then 'the denominator is zero'
            when value is null then 'no account has a value' || coalesce(': ' || missing_reason, '')
            when entities_counted > entities_present
                then (entities_counted - entities_present) || ' of ' || entities_expected || ' accounts with an earlier value'
            when entities_present < entities_expected
                then entities_present || ' of ' || entities_expected || ' accounts'
        end as reason,
        'accounts' as source,
        is_complete and entities_present = entities_expected as is_complete,
        is_provisional, definition_version, readings, readings_expected, days_spanned,
        entities_present, entities_expected, last_read_at, day_timezone, approximate
    from valued
),
of_content as (
    -- include daily/workspace_app.sql
),
of_messages as (
    -- include daily/workspace_messages.sql
)
select * from of_accounts
union all by name
select * from of_content
union all by name
select * from of_messages
order by workspace_id, platform, entity_id, metric
