-- analytics_snapshots without their type. Grain: one workspace or account in one period in [$start, $end). Inputs:
-- figures (one metric as text), metric_catalog, asked_workspaces and, where only these are asked for ($is_narrowed),
-- the present rows of the others. A workspace in which a metric stands twice keeps its present rows too.
-- Keys are in order, so that the same input gives the same bytes.
with
refused as (
    -- include snapshots/contradictions.sql
),
taken as (
    select f.*
    from figures as f
    left join refused as r on r.date = f.date and r.workspace_id = f.workspace_id
    where
        r.date is null
        and (not $is_narrowed or f.workspace_id in (select workspace_id from asked_workspaces))
),
sections as (
    select m.metric, s.section
    from metric_catalog as m
    inner join (values ('messages'), ('campaigns'), ('contacts'), ('conversations')) as s (section)
        on list_contains(m.snapshot, s.section)
),
objects as (
    select
        t.date, t.workspace_id, t.entity_type, t.entity_id,
        coalesce(s.section, 'platforms') as section,
        case when s.section is null then t.platform end as platform,
        '{' || string_agg(json_text(t.metric) || ':' || t.figure, ',' order by t.metric) || '}' as object
    from taken as t
    left join sections as s on t.platform = 'app' and s.metric = t.metric
    group by t.date, t.workspace_id, t.entity_type, t.entity_id, coalesce(s.section, 'platforms'),
        case when s.section is null then t.platform end
),
documents as (
    select
        date, workspace_id, entity_type, entity_id,
        '{"messages":' || coalesce(max(case when section = 'messages' then object end), '{}')
        || ',"campaigns":' || coalesce(max(case when section = 'campaigns' then object end), '{}')
        || ',"contacts":' || coalesce(max(case when section = 'contacts' then object end), '{}')
        || ',"conversations":' || coalesce(max(case when section = 'conversations' then object end), '{}')
        || ',"platforms":{'
        || coalesce(
            string_agg(
                case when section = 'platforms' then json_text(platform) || ':' || object end, ',' order by platform
            ),
            ''
        )
        || '}}' as metrics
    from objects
    group by date, workspace_id, entity_type, entity_id
),
totals as (
    select
        date, workspace_id, entity_type, entity_id,
        count(*) filter (where is_expected) as metrics_expected,
        count(*) filter (where is_expected and has_value) as metrics_present,
        count(*) filter (where is_expected and is_complete) as metrics_complete,
        bool_or(is_provisional) as is_provisional,
        max(last_read_at) as last_read_at
    from taken
    group by date, workspace_id, entity_type, entity_id
)
select
    d.date,
    d.workspace_id,
    case when d.entity_type = 'account' then d.entity_id end as account_id,
    d.metrics,
    cast($now as timestamptz) as generated_at,
    t.metrics_complete / cast(nullif(t.metrics_expected, 0) as double) as completeness,
    t.metrics_expected, t.metrics_present, t.metrics_complete,
    t.metrics_expected > 0 and t.metrics_complete = t.metrics_expected as is_complete,
    t.is_provisional,
    t.last_read_at
from documents as d
inner join totals as t using (date, workspace_id, entity_type, entity_id)
union all by name
select p.* exclude (snapshot_type)
from analytics_snapshots as p
left join refused as r on r.date = p.date and r.workspace_id = p.workspace_id
where
    p.snapshot_type = $snapshot_type and p.date >= $start and p.date < $end
    and (
        r.date is not null
        or ($is_narrowed and p.workspace_id not in (select workspace_id from asked_workspaces))
    )
