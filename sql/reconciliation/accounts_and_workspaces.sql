-- A workspace's sum against its accounts. Grain: workspace, platform, metric, day in [$start, $end). Levels count
-- accounts that were not read today with an earlier value; such days are left out. Inputs: daily_metrics, the catalogue.
with
members as (
    select d.date, d.workspace_id, d.platform, d.metric, d.value, m.comparable
    from daily_metrics as d
    inner join metric_catalog as m on m.metric = d.metric and m.across_entities = 'sum'
    where
        d.entity_type = 'account' and d.platform <> 'app' and d.value is not null
        and d.date >= $start and d.date < $end
),
sums as (
    select date, workspace_id, platform, metric, stable_sum(value) as total, count(*) as accounts
    from (
        select * from members
        union all by name
        select * exclude (platform), 'all' as platform from members where comparable
    )
    group by all
)
select
    'accounts_and_workspace' as comparison,
    'day' as grain,
    w.date, w.workspace_id, w.platform,
    'workspace' as entity_type,
    w.entity_id, w.metric,
    true as is_exact,
    true as is_judged,
    s.accounts as compared,
    (w.value is distinct from s.total)::bigint as differing,
    w.value,
    s.total as against,
    true as is_complete,
    abs(w.value - coalesce(s.total, 0)) as absolute_drift
from daily_metrics as w
inner join metric_catalog as m on m.metric = w.metric and m.across_entities = 'sum'
left join sums as s
    on s.date = w.date and s.workspace_id = w.workspace_id and s.platform = w.platform and s.metric = w.metric
where
    w.entity_type = 'workspace' and w.platform <> 'app' and w.date >= $start and w.date < $end
    and w.value is not null and (m.additivity = 'additive' or w.entities_present = w.entities_expected)
