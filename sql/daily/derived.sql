-- Grain: one derived metric of an entity and day, from the relation `base` (one row per entity, day, metric).
-- engagement sums those of its parts the platform gives, and has no value where all of them failed; every derived
-- ratio of the catalogue is recomputed.
with
parts as (
    -- parts that were asked for and gave nothing make the sum incomplete, parts a platform lacks do not
    select * from base where metric in ('likes', 'comments', 'shares', 'saves') and state <> 'not_supported'
),
engagement as (
    select
        date, workspace_id, platform, account_id, post_id,
        'engagement' as metric,
        stable_sum(value) as value,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        case when count(value) = 0 then 'no_components' when stable_sum(value) = 0 then 'zero' else 'value' end as state,
        case
            when count(value) = 0 then 'no value for ' || string_agg(metric, ', ' order by metric)
            else 'of ' || string_agg(metric, ', ' order by metric) filter (where value is not null)
        end as reason,
        bool_and(is_complete and value is not null) as is_complete,
        bool_or(is_provisional) as is_provisional,
        max(definition_version) as definition_version,
        max(days_spanned) filter (where value is not null) as days_spanned,
        coalesce(max(last_read_at) filter (where value is not null), max(last_read_at)) as last_read_at,
        min(day_timezone) as day_timezone,
        count(value) as readings,
        count(*) as readings_expected
    from parts
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
