-- Grain: one content item of the relation `items` (views_24h, views_before, hours_existed): its trend by both versions.
-- Version 1 is the requirement's: above 1.2 or below 0.8 times the day before. Version 2 asks whether the change is
-- more than the workspace's own day and more than chance, see docs/metrics.md.
with
ratios as (
    -- items with enough views the day before tell how the workspace's day differs from the day before
    select
        workspace_id, content_id,
        views_24h / views_before as ratio,
        row_number() over (partition by workspace_id order by views_24h / views_before, content_id) as place,
        count(*) over (partition by workspace_id) as items
    from items
    where views_before >= 20
),
sizes as (
    select workspace_id, max(items) as items from ratios group by workspace_id
),
others as (
    -- the places of the middle among the other items: its own place is stepped over
    select
        i.workspace_id, i.content_id,
        s.items - (r.place is not null)::bigint as others,
        coalesce(r.place, s.items + 1) as own_place
    from items as i
    inner join sizes as s using (workspace_id)
    left join ratios as r using (workspace_id, content_id)
),
middles as (
    select
        workspace_id, content_id, others,
        (others + 1) // 2 + ((others + 1) // 2 >= own_place)::bigint as low_place,
        others // 2 + 1 + (others // 2 + 1 >= own_place)::bigint as high_place
    from others
    where others >= 10
),
shifts as (
    select m.workspace_id, m.content_id, (l.ratio + h.ratio) / 2 as r
    from middles as m
    inner join ratios as l on l.workspace_id = m.workspace_id and l.place = m.low_place
    inner join ratios as h on h.workspace_id = m.workspace_id and h.place = m.high_place
),
expected as (
    select i.*, coalesce(s.r, 1) as r, i.views_before * coalesce(s.r, 1) as mu
    from items as i
    left join shifts as s using (workspace_id, content_id)
),
moves as (
    select *, 2 * (sqrt(views_24h + 0.375) - sqrt(mu + 0.375)) as move from expected
),
spreads as (
    -- the workspace's own restlessness: the median absolute deviation, as a standard deviation
    select workspace_id, 1.4826 * median(abs(move - middle)) as spread
    from (select *, median(move) over (partition by workspace_id) as middle from moves where mu >= 20)
    group by workspace_id
    having count(*) >= 10
),
scored as (
    select m.*, m.move / greatest(coalesce(s.spread, 0), sqrt(1 + m.r)) as z
    from moves as m
    left join spreads as s using (workspace_id)
)
select
    workspace_id, content_id, mu, r, z,
    case
        when views_24h > 1.2 * views_before then 'rising'
        when views_24h < 0.8 * views_before then 'declining'
        else 'stable'
    end as trend_v1,
    case
        when views_24h = 0 and views_before = 0 then 'no_data'
        when hours_existed < 24 then 'new'
        when z > 3 and views_24h > 1.2 * mu and views_24h >= 20 then 'rising'
        when z < -3 and views_24h < 0.8 * mu and mu >= 20 then 'declining'
        else 'stable'
    end as trend
from scored
