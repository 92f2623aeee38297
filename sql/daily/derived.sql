-- Grain: one derived metric of an entity and day, from the relation `base` (one row per entity, day, metric).
-- engagement sums those of its parts the platform gives; every derived ratio of the catalogue is recomputed.
with
parts as (
    select * from base where metric in ('likes', 'comments', 'shares', 'saves') and value is not null
),
expected_parts as (
    -- parts that were asked for and gave nothing make the sum incomplete, parts a platform lacks do not
    select date, workspace_id, platform, account_id, post_id, count(*) as asked
    from base
    where metric in ('likes', 'comments', 'shares', 'saves') and state <> 'not_supported'
    group by all
),
engagement as (
    select
        date, workspace_id, platform, account_id, post_id,
        'engagement' as metric,
        stable_sum(value) as value,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        case when stable_sum(value) = 0 then 'zero' else 'value' end as state,
        'of ' || string_agg(metric, ', ' order by metric) as reason,
        bool_and(is_complete) and count(*) = any_value(asked) as is_complete,
        bool_or(is_provisional) as is_provisional,
        max(definition_version) as definition_version,
        max(days_spanned) as days_spanned,
        max(last_read_at) as last_read_at,
        any_value(day_timezone) as day_timezone,
        count(*) as readings,
        any_value(asked) as readings_expected
    from parts
    inner join expected_parts using (date, workspace_id, platform, account_id, post_id)
    group by all
),
operands as (
    select
        date, workspace_id, platform, account_id, post_id, metric, value, is_complete, is_provisional,
        definition_version, last_read_at, day_timezone, days_spanned
    from base
    union all by name
    select
        date, workspace_id, platform, account_id, post_id, metric, value, is_complete, is_provisional,
        definition_version, last_read_at, day_timezone, days_spanned
    from engagement
),
ratios as (
    select
        n.date, n.workspace_id, n.platform, n.account_id, n.post_id,
        m.metric,
        n.value / nullif(d.value, 0) as value,
        n.value as numerator,
        d.value as denominator,
        case
            when n.value is null or d.value is null then 'no_components'
            when d.value = 0 then 'insufficient_data'
            when n.value = 0 then 'zero'
            else 'value'
        end as state,
        case
            when n.value is null then 'no value for ' || m.numerator
            when d.value is null then 'no value for ' || m.denominator
            when d.value = 0 then m.denominator || ' is zero'
        end as reason,
        n.is_complete and d.is_complete as is_complete,
        n.is_provisional or d.is_provisional as is_provisional,
        greatest(n.definition_version, d.definition_version) as definition_version,
        greatest(n.days_spanned, d.days_spanned) as days_spanned,
        least(n.last_read_at, d.last_read_at) as last_read_at,
        n.day_timezone,
        (n.value is not null)::bigint + (d.value is not null)::bigint as readings,
        2 as readings_expected
    from metric_catalog as m
    inner join operands as n on n.metric = m.numerator
    inner join operands as d
        on d.metric = m.denominator and d.date = n.date and d.workspace_id = n.workspace_id
        and d.platform = n.platform and d.account_id = n.account_id and d.post_id is not distinct from n.post_id
    where m.derived and m.additivity = 'ratio' and list_contains(m.levels, $level)
)
select * from engagement
union all by name
select * from ratios
