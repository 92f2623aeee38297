-- Grain: one metric of one entity in one period of the relation `calendar` (date, period_start, day_offset) and
-- `periods` (period_start, period_end, previous_start, days_expected, days_elapsed, is_output). The period before
-- the first is in both, for growth. Inputs: daily_metrics, insight_readings (the platform's own $window values), and
-- viewer_days, from which distinct viewers of a period are counted where it begins on $viewers_from or later, and
-- app_messages, from which distinct active contacts are.
-- Growth compares with the calendar-preceding period; the first state that matches counts, see docs/metrics.md.
with
sums as (
    select
        period_start, workspace_id, platform, entity_type, entity_id, account_id, metric, additivity,
        count(value) as days_present,
        stable_sum(value) as total,
        -- a difference over several days is no day's value
        min(value) filter (where coalesce(days_spanned, 1) = 1) as minimum,
        max(value) filter (where coalesce(days_spanned, 1) = 1) as maximum,
        arg_min(value, date) as first,
        arg_max(value, date) as last,
        -- a day without views has no rate, and its engagement still belongs to the period's
        stable_sum(case when denominator is not null then numerator end) as numerator,
        stable_sum(case when numerator is not null then denominator end) as denominator,
        count(*) filter (where is_complete) as complete_days,
        max(date) filter (where is_complete) as last_complete_day,
        coalesce(bool_or(not is_complete and source = 'application'), false) as has_unread_days,
        bool_or(is_provisional) as is_provisional,
        min(definition_version) filter (where value is not null) as first_version,
        max(definition_version) as definition_version,
        max(last_read_at) as last_read_at,
        bool_or(approximate) as approximate,
        min(reason) filter (where value is null) as missing_reason,
        min(reason) filter (where not is_complete) as incomplete_reason
    from (
        -- include rollups/period_days.sql
    )
    group by all
),
spanned_days as (
    -- posts that are planned to be read once in a while: the days of series with a complete difference over several
    select *
    from (
        -- include rollups/period_days.sql
    )
    where
        additivity = 'additive'
        and (period_start, workspace_id, platform, entity_type, entity_id, coalesce(account_id, ''), metric) in (
            select period_start, workspace_id, platform, entity_type, entity_id, coalesce(account_id, ''), metric
            from (
                -- include rollups/period_days.sql
            )
            where days_spanned > 1 and is_complete and additivity = 'additive'
        )
),
spans as (
    -- such a difference covers all of its days but those that have an incomplete row of their own
    select
        d.period_start, d.workspace_id, d.platform, d.entity_type, d.entity_id, d.account_id, d.metric,
        count(distinct c.date) as covered_days
    from spanned_days as d
    inner join calendar as c
        on c.period_start = d.period_start and c.date <= d.date
        and c.date > plus_days(d.date, -coalesce(d.days_spanned, 1))
    left join spanned_days as o
        on o.date = c.date and o.workspace_id = d.workspace_id and o.platform = d.platform
        and o.entity_type = d.entity_type and o.entity_id = d.entity_id and o.metric = d.metric
        and o.account_id is not distinct from d.account_id and not o.is_complete
    where d.is_complete and o.date is null
    group by all
),
own_windows as (
    select
        p.period_start, r.workspace_id, r.platform, r.metric, r.value,
        case when r.post_id is null then 'account' else 'post' end as entity_type,
        coalesce(r.post_id, r.account_id) as entity_id,
        r.account_id,
        r.confirmed_at as last_read_at
    from insight_readings as r
    inner join periods as p on r.date = plus_days(p.period_end, -1)
    where r."window" = $window and r.date >= $first and r.date < $end
    qualify row_number() over (
        partition by p.period_start, r.workspace_id, r.platform, r.account_id, r.post_id, r.metric
        order by r.source = 'import', r.read_at desc, r.source_metric
    ) = 1
),
viewer_windows as (
    -- first-party content: its viewers are known one by one
    select p.period_start, v.workspace_id, v.entity_type, v.entity_id, count(distinct v.viewer_hash) as viewers
    from (
        select date, workspace_id, 'content' as entity_type, content_id as entity_id, viewer_hash
        from viewer_days
        where date >= $first and date < $end
        union all
        select date, workspace_id, 'creator', creator_id, viewer_hash
        from viewer_days
        where date >= $first and date < $end and creator_id is not null
        union all
        select date, workspace_id, 'workspace', workspace_id, viewer_hash
        from viewer_days
        where date >= $first and date < $end
    ) as v
    inner join calendar as p using (date)
    group by p.period_start, v.workspace_id, v.entity_type, v.entity_id
),
window_values as (
    select * from own_windows
    union all by name
    select
        s.period_start, s.workspace_id, s.platform, s.metric, s.entity_type, s.entity_id, s.account_id,
        cast(coalesce(v.viewers, 0) as double) as value,
        s.last_read_at
    from sums as s
    left join viewer_windows as v
        on v.period_start = s.period_start and v.workspace_id = s.workspace_id
        and v.entity_type = s.entity_type and v.entity_id = s.entity_id
    where s.platform = 'app' and s.metric = 'unique_viewers' and s.period_start >= $viewers_from
    union all by name
    select *
    from (
        -- include rollups/contact_windows.sql
    )
),
valued as (
    select
        s.* exclude (last_read_at, last_complete_day, missing_reason, incomplete_reason),
        s.total / nullif(s.days_present, 0) as daily_average,
        case s.additivity
            when 'additive' then s.total
            when 'last_value' then s.last
            when 'ratio' then s.numerator / nullif(s.denominator, 0)
            when 'maximum' then s.maximum
            when 'minimum' then s.minimum
            when 'unique' then w.value
        end as value,
        case
            when s.additivity = 'unique' and w.value is null and s.platform = 'app'
                then 'distinct people cannot be summed over days, and who they were is no longer kept'
            when s.additivity = 'unique' and w.value is null
                then 'distinct people cannot be summed over days, and the platform gave no value for the period'
            when s.additivity = 'ratio' and s.days_present > 0 and s.denominator is null then 'no components'
            when s.days_present = 0 then 'no day has a value' || coalesce(': ' || s.missing_reason, '')
            when
                s.additivity <> 'unique' and s.days_present < p.days_elapsed
                -- of content and messages a day without a row is a day on which nothing happened
                and (s.platform <> 'app' or s.missing_reason is not null)
                then s.days_present || ' of ' || p.days_elapsed || ' days have a value'
                    || coalesce(': ' || s.missing_reason, '')
            else s.incomplete_reason
        end as reason,
        greatest(s.last_read_at, w.last_read_at) as last_read_at,
        p.period_end, p.previous_start, p.days_expected, p.days_elapsed, p.is_output,
        p.days_elapsed = p.days_expected and case s.additivity
            when 'last_value' then coalesce(s.last_complete_day = plus_days(p.period_end, -1), false)
            when 'unique' then w.value is not null and not s.has_unread_days
            -- events come by themselves: a day without a row is a day on which nothing happened
            else (s.platform = 'app' and not s.has_unread_days) or coalesce(c.covered_days, s.complete_days) = p.days_expected
        end as is_complete
    from sums as s
    inner join periods as p using (period_start)
    left join window_values as w
        on w.period_start = s.period_start and w.workspace_id = s.workspace_id and w.platform = s.platform
        and w.entity_type = s.entity_type and w.entity_id = s.entity_id and w.metric = s.metric
        and w.account_id is not distinct from s.account_id
    left join spans as c
        on c.period_start = s.period_start and c.workspace_id = s.workspace_id and c.platform = s.platform
        and c.entity_type = s.entity_type and c.entity_id = s.entity_id and c.metric = s.metric
        and c.account_id is not distinct from s.account_id
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
    inner join (select distinct workspace_id, platform, metric from sums where entity_type = 'workspace') as g
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
