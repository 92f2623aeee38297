-- The viewers of every content item of the relation `touched` (workspace_id, content_id) that has any. Grain: one item.
-- Without a sketch: unique_viewers, counted. With one: the sketch and the viewers of the days that are kept, to be put
-- together. Inputs: viewer_days, viewer_sketches.
with
seen as (
    select v.workspace_id, v.content_id, v.viewer_hash
    from viewer_days as v
    inner join touched as t on t.workspace_id = v.workspace_id and t.content_id = v.content_id
    where v.viewer_hash is not null
),
sketched as (
    select s.workspace_id, s.content_id, s.sketch
    from viewer_sketches as s
    inner join touched as t on t.workspace_id = s.workspace_id and t.content_id = s.content_id
),
counted as (
    select workspace_id, content_id, count(distinct viewer_hash) as unique_viewers
    from seen as v
    where not exists (
        select 1 from sketched as s where s.workspace_id = v.workspace_id and s.content_id = v.content_id
    )
    group by workspace_id, content_id
),
listed as (
    select v.workspace_id, v.content_id, list(distinct v.viewer_hash) as viewers
    from seen as v
    inner join sketched as s on s.workspace_id = v.workspace_id and s.content_id = v.content_id
    group by v.workspace_id, v.content_id
)
select workspace_id, content_id, unique_viewers, cast(null as blob) as sketch, cast([] as bigint[]) as viewers
from counted
union all
select s.workspace_id, s.content_id, null, s.sketch, coalesce(l.viewers, [])
from sketched as s
left join listed as l on l.workspace_id = s.workspace_id and l.content_id = s.content_id
