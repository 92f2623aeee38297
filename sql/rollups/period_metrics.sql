-- Grain: one metric of one entity in one period of the relation `calendar` (date, period_start, day_offset) and
-- `periods` (period_start, period_end, previous_start, days_expected, days_elapsed, is_output). The period before
-- the first is in both, for growth. Inputs: daily_metrics, insight_readings (the platform's own $window values), and
-- viewer_days, from which distinct viewers of a period are counted where it begins on $viewers_from or later, and
-- app_messages, from which distinct active contacts are.
-- Growth compares with the calendar-preceding period; the first state that matches counts, see docs/metrics.md.
with
valued as (
    -- include rollups/period_values.sql
),
pairs as (
    select
        v.*,
        v.entity_type = 'workspace' and v.additivity = 'last_value' and v.platform <> 'app' as is_over_accounts,
        e.value as previous_value,
        v.value - e.value as change,
        e.is_complete as previous_is_complete,
        e.definition_version as previous_version,
        e.first_version as previous_first_version
    from valued as v
    left join valued as e
        on e.period_start = v.previous_start and e.workspace_id = v.workspace_id and e.platform = v.platform
        and e.entity_type = v.entity_type and e.entity_id = v.entity_id and e.metric = v.metric
        and e.account_id is not distinct from v.account_id
    where v.is_output
),
partials as (
    select
        period_start, previous_start, days_elapsed, workspace_id, platform, entity_type, entity_id, account_id, metric
    from pairs
    where additivity = 'additive' and previous_value is not null and not (is_complete and previous_is_complete)
),
sides as (
    select period_start, workspace_id, platform, entity_type, entity_id, account_id, metric from partials
    union
    select previous_start, workspace_id, platform, entity_type, entity_id, account_id, metric from partials
),
compared_days as (
    select *
    from (
        -- include rollups/period_days.sql
    )
    where
        value is not null
        -- mostly a few periods only, such as the running one and the one before it
        and date in (select date from calendar where period_start in (select period_start from sides))
        and (period_start, workspace_id, platform, entity_type, entity_id, coalesce(account_id, ''), metric) in (
            select period_start, workspace_id, platform, entity_type, entity_id, coalesce(account_id, ''), metric
            from sides
        )
),
comparable_days as (
    -- partial additive periods are compared over the day offsets that both have
    select
        q.period_start, q.workspace_id, q.platform, q.entity_type, q.entity_id, q.account_id, q.metric,
        stable_sum(d.value) as compared_value,
        stable_sum(e.value) as compared_previous,
        count(*) as compared_days
    from partials as q
    inner join compared_days as d
        on d.period_start = q.period_start and d.workspace_id = q.workspace_id and d.platform = q.platform
        and d.entity_type = q.entity_type and d.entity_id = q.entity_id and d.metric = q.metric
        and d.account_id is not distinct from q.account_id
    inner join compared_days as e
        on e.period_start = q.previous_start and e.day_offset = d.day_offset
        and e.workspace_id = q.workspace_id and e.platform = q.platform
        and e.entity_type = q.entity_type and e.entity_id = q.entity_id and e.metric = q.metric
        and e.account_id is not distinct from q.account_id
    where q.platform <> 'app'
    group by all
    union all by name
    -- of content every day that is over can be compared, also those on which nothing happened
    select
        q.period_start, q.workspace_id, q.platform, q.entity_type, q.entity_id, q.account_id, q.metric,
        coalesce(stable_sum(case when d.period_start = q.period_start then d.value end), 0) as compared_value,
        coalesce(stable_sum(case when d.period_start = q.previous_start then d.value end), 0) as compared_previous,
        any_value(q.days_elapsed) as compared_days
    from (
        select *, period_start as side from partials
        union all by name
        select *, previous_start as side from partials
    ) as q
    left join compared_days as d
        on d.period_start = q.side and d.day_offset < q.days_elapsed
        and d.workspace_id = q.workspace_id and d.platform = q.platform
        and d.entity_type = q.entity_type and d.entity_id = q.entity_id and d.metric = q.metric
        and d.account_id is not distinct from q.account_id
    where q.platform = 'app' and q.days_elapsed > 0
    group by all
),
comparable_accounts as (
    -- a workspace's level is compared over the accounts that both periods have: an account that joins is no growth
    select
        v.period_start, v.workspace_id, v.metric,
        g.platform,
        stable_sum(v.value) as compared_value,
        stable_sum(e.value) as compared_previous
    from valued as v
    inner join valued as e
        on e.period_start = v.previous_start and e.workspace_id = v.workspace_id and e.platform = v.platform
        and e.entity_type = 'account' and e.entity_id = v.entity_id and e.metric = v.metric
    inner join (select distinct workspace_id, platform, metric from valued where entity_type = 'workspace') as g
        on g.workspace_id = v.workspace_id and g.metric = v.metric and g.platform in (v.platform, 'all')
    where
        v.is_output and v.entity_type = 'account' and v.additivity = 'last_value'
        and v.value is not null and e.value is not null
    group by all
),
compared as (
    select
        q.*,
        case
            when q.change is not null and (a.compared_value <> q.value or a.compared_previous <> q.previous_value)
                then a.compared_value
            else d.compared_value
        end as compared_value,
        case
            when q.change is not null and (a.compared_value <> q.value or a.compared_previous <> q.previous_value)
                then a.compared_previous
            else d.compared_previous
        end as compared_previous,
        d.compared_days,
        case when q.is_over_accounts then a.compared_value else q.value end as growth_value,
        case when q.is_over_accounts then a.compared_previous else q.previous_value end as growth_base
    from pairs as q
    left join comparable_days as d
        on d.period_start = q.period_start and d.workspace_id = q.workspace_id and d.platform = q.platform
        and d.entity_type = q.entity_type and d.entity_id = q.entity_id and d.metric = q.metric
        and d.account_id is not distinct from q.account_id
    left join comparable_accounts as a
        on q.is_over_accounts and a.period_start = q.period_start and a.workspace_id = q.workspace_id
        and a.platform = q.platform and a.metric = q.metric
),
states as (
    select
        *,
        case
            when value is null then 'no_value'
            when first_version <> definition_version
                or (previous_value is not null and previous_version <> definition_version)
                or previous_first_version <> previous_version then 'definition_changed'
            when previous_value is null then 'no_base'
            when not (is_complete and previous_is_complete) then 'partial'
            when growth_base is null then 'no_base' -- no account has a level in both periods
            when growth_base < 0 then 'negative_base'
            when growth_base = 0 and growth_value <> 0 then 'new_from_zero'
            when growth_base = 0 then 'flat_zero'
            else 'ok'
        end as growth_state
    from compared
)
select
    period_start, workspace_id, platform, entity_type, entity_id, account_id, metric,
    value,
    case when additivity = 'additive' then total end as total,
    case when additivity in ('additive', 'last_value') then daily_average end as daily_average,
    minimum, maximum, first, last,
    previous_value,
    change,
    case growth_state
        when 'partial' then case
            when additivity = 'additive' and compared_previous > 0
                then (compared_value - compared_previous) / compared_previous
        end
        when 'flat_zero' then 0
        when 'ok' then (growth_value - growth_base) / growth_base
    end as growth_rate,
    growth_state,
    compared_value, compared_previous, compared_days,
    days_present, days_expected, days_elapsed,
    is_complete, is_provisional, definition_version, reason, last_read_at, approximate,
    cast(null as double) as error_bound
from states
