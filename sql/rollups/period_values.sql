-- What a metric's days come to in a period of `periods` and `calendar`: value by its additivity, and whether it is whole.
-- Grain and inputs: period_metrics.sql.
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
)
select * from valued
