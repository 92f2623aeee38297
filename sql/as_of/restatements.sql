-- What changed between $since and $until, the largest relative change first, and who brought it. Grain: one number of
-- compared.sql that is not the same. Inputs: compared, metric_inputs, insight_readings, counter_readings.
-- brought_by: the runs and imports whose readings, made in between, may have moved the number: a day's own, of the days
-- before for what is a difference, of a sum those of its members.
with
changed as materialized (
    select *, row_number() over () as n from compared where kind is not null
),
reads as (
    select
        workspace_id, platform, account_id, post_id, metric, date, "window",
        false as is_counter,
        case when import_id is not null then 'import ' || import_id else 'run ' || run_id end as origin
    from insight_readings
    where date >= $reads_first and date < $reads_end and read_at > $since and read_at <= $until
    union all by name
    select
        workspace_id, platform, account_id, post_id, metric, date,
        'P1D' as "window",
        true as is_counter,
        case when import_id is not null then 'import ' || import_id else 'run ' || run_id end as origin
    from counter_readings
    where date >= $reads_first and date < $reads_end and observed_at > $since and observed_at <= $until
),
grouped_reads as materialized (
    select
        workspace_id, platform,
        'account' as entity_type,
        account_id as entity_id,
        account_id, metric, date, "window",
        post_id is not null as is_of_post,
        is_counter,
        list(distinct origin) as origins,
        count(*) as readings
    from reads
    group by all
    union all by name
    select
        workspace_id, platform,
        'post' as entity_type,
        post_id as entity_id,
        account_id, metric, date, "window",
        false as is_of_post,
        is_counter,
        list(distinct origin) as origins,
        count(*) as readings
    from reads
    where post_id is not null
    group by all
),
of_own_readings as (
    select c.n, r.origins, r.readings
    from changed as c
    inner join metric_inputs as i on i.metric = c.metric
    inner join grouped_reads as r
        on r.workspace_id = c.workspace_id and r.platform = c.platform and r.entity_type = c.entity_type
        and r.entity_id = c.entity_id and r.account_id = c.account_id and r.metric = i.input
    where
        case c.grain when 'day' then 'P1D' when 'week' then 'P7D' else 'P1M' end = r."window"
        and case
            when c.grain = 'day' then
                r.date <= c.period_start
                and r.date >= case
                    when r.is_counter or c.metric = 'follower_growth' then plus_days(c.period_start, -$lookback_days)
                    else c.period_start
                end
            else r.date = plus_days(c.period_end, -1)
        end
        and case coalesce(c.source, 'derived')
            when 'posts' then r.is_of_post
            when 'derived' then true
            else not r.is_of_post
        end
),
of_accounts as (
    select w.n, o.origins, o.readings
    from changed as w
    inner join metric_inputs as i on i.metric = w.metric
    inner join changed as a
        on a.grain = 'day' and a.entity_type = 'account' and a.workspace_id = w.workspace_id and a.metric = i.input
        and w.platform in (a.platform, 'all')
        and a.period_start <= w.period_start and a.period_start >= plus_days(w.period_start, -$carry_days)
    inner join metric_catalog as m on m.metric = w.metric
    inner join of_own_readings as o on o.n = a.n
    where
        w.grain = 'day' and w.entity_type = 'workspace'
        and (a.period_start = w.period_start or m.additivity = 'last_value')
),
of_days as (
    select p.n, o.origins, o.readings
    from changed as p
    -- the parts of a rate count also on days that have none
    inner join metric_inputs as i on i.metric = p.metric
    inner join changed as d
        on d.grain = 'day' and d.workspace_id = p.workspace_id and d.platform = p.platform
        and d.entity_type = p.entity_type and d.entity_id = p.entity_id
        and d.account_id is not distinct from p.account_id and d.metric = i.input
        and d.period_start >= p.period_start and d.period_start < p.period_end
    inner join (
        select * from of_own_readings
        union all
        select * from of_accounts
    ) as o on o.n = d.n
    where p.grain <> 'day'
),
brought as (
    select n, list_sort(list_distinct(flatten(list(origins)))) as origins, cast(sum(readings) as bigint) as readings
    from (
        select * from of_own_readings
        union all
        select * from of_accounts
        union all
        select * from of_days
    ) as parts
    group by n
)
select
    c.grain, c.period_start, c.period_end, c.workspace_id, c.platform, c.entity_type, c.entity_id, c.account_id,
    c.metric, c.kind, c.value_then, c.value_now, c.change, c.relative_change, c.was_complete, c.is_complete,
    c.last_read_at as read_at,
    case when c.platform = 'app' then ['events'] else coalesce(b.origins[1:5], []) end as brought_by,
    coalesce(len(b.origins), 0) as brought_by_count,
    coalesce(b.readings, 0) as readings
from changed as c
left join brought as b using (n)
order by
    abs(c.relative_change) desc nulls last,
    abs(coalesce(c.change, c.value_now, c.value_then)) desc,
    c.grain, c.period_start desc, c.workspace_id, c.platform, c.entity_type, c.entity_id, c.metric
