-- What an account's own series, counter or import says of a day against the sum of its posts. Grain: account, metric, day
-- in [$start, $end) where both have a value. An account counts what its posts do not have (posts that are deleted or no
-- longer read, stories, adverts), and its day may begin in another zone, so the drift is a measure and not judged.
-- Inputs: daily_metrics, the catalogue.
select
    'posts_and_account' as comparison,
    'day' as grain,
    a.date, a.workspace_id, a.platform,
    'account' as entity_type,
    a.entity_id, a.metric,
    false as is_exact,
    false as is_judged,
    p.posts as compared,
    (a.value <> p.total)::bigint as differing,
    a.value,
    p.total as against,
    a.is_complete and p.is_complete as is_complete,
    abs(a.value - p.total) as absolute_drift
from daily_metrics as a
inner join metric_catalog as m on m.metric = a.metric and m.additivity = 'additive' and not m.derived
inner join (
    select
        d.date, d.workspace_id, d.platform, d.account_id, d.metric,
        stable_sum(d.value) as total,
        count(d.value) as posts,
        bool_and(d.is_complete and d.value is not null) as is_complete
    from daily_metrics as d
    left join (select distinct platform, metric from source_catalog where level = 'post' and not adds_up) as n
        on n.platform = d.platform and n.metric = d.metric
    where d.entity_type = 'post' and d.date >= $start and d.date < $end and n.metric is null
    group by all
    having count(d.value) > 0
) as p
    on p.date = a.date and p.workspace_id = a.workspace_id and p.platform = a.platform
    and p.account_id = a.entity_id and p.metric = a.metric
where
    a.entity_type = 'account' and a.date >= $start and a.date < $end
    and a.source in ('series', 'counter', 'import') and a.value is not null
