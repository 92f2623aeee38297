-- Views of items against what the creator's other items had at the same age. Grain: one content item of the relation
-- `items` of which every hour was counted and is kept, that has a creator, is published and not taken down. Inputs: content_ages (up to
-- $through), content_hourly, items; $oldest is the first day whose hours are kept.
-- The others: of the same creator and kind, at least as old, the last 30 of them; the mean leaves out the lowest and
-- the highest tenth. From two days on views are compared at whole days of age.
with
eligible as (
    select
        i.workspace_id, i.content_id, i.creator_id, i.exists_since, i.hours_existed,
        coalesce(i.content_type, '') as kind
    from (
        select *, min(first_date) over (partition by workspace_id) as counted_from
        from items
    ) as i
    where
        i.creator_id is not null and i.deleted_at is null and i.exists_since <= $now
        and least(i.first_date, utc_day(i.exists_since)) >= $oldest
        -- nobody counted the first views of what is older than the counting itself
        and utc_day(i.exists_since) >= i.counted_from
        -- what the closed days told was told by the same age
        and (
            i.first_date > $through
            or exists (
                select 1
                from content_ages as a
                where
                    a.workspace_id = i.workspace_id and a.content_id = i.content_id
                    and a.exists_since = i.exists_since and a.through_date = $through
            )
        )
),
places as (
    select
        *,
        dense_rank() over (order by workspace_id, creator_id, kind) as line,
        row_number() over (order by workspace_id, creator_id, kind, exists_since, content_id) as item,
        row_number() over (
            partition by workspace_id, creator_id, kind order by exists_since, content_id
        ) as place,
        count(*) over (
            partition by workspace_id, creator_id, kind
            order by hours_existed desc range between unbounded preceding and current row
        ) as as_old,
        count(*) filter (where hours_existed > 0) over (partition by workspace_id, creator_id, kind) as an_hour_old,
        case
            when hours_existed > 48 then 24 * (hours_existed // 24) else greatest(1, hours_existed)
        end as age_hours
    from eligible
),
standing as (
    -- the items of a line that are old enough are its first `old_enough`
    select *, case when hours_existed > 0 then as_old else an_hour_old end as old_enough from places
),
aged_hours as (
    select
        h.workspace_id, h.content_id, e.exists_since, h.views,
        day_start(h.date) + hours(h.hour) as hour_start
    from content_hourly as h
    inner join eligible as e on e.workspace_id = h.workspace_id and e.content_id = h.content_id
    where h.date > $through and h.date <= $today
),
open_steps as (
    -- include content/age_steps.sql
),
pairs as (
    -- 30 places, and one more where its own is among them
    select
        s.item, s.age_hours, o.item as other
    from (
        select
            *,
            unnest(range(
                greatest(1, old_enough - 29 - (place > old_enough - 30 and place <= old_enough)::bigint),
                old_enough + 1
            )) as other_place
        from standing
    ) as s
    inner join places as o on o.line = s.line and o.place = s.other_place
    where o.place <> s.place
),
asked as (
    select item, age_hours, item as other from standing
    union all
    select item, age_hours, other from pairs
),
courses as (
    select p.item, t.age_hours, sum(t.views) as views, false as is_asked
    from (
        select workspace_id, content_id, age_hours, views from content_ages
        union all by name
        select workspace_id, content_id, age_hours, views from open_steps
    ) as t
    inner join places as p on p.workspace_id = t.workspace_id and p.content_id = t.content_id
    group by p.item, t.age_hours
    union all by name
    select distinct other as item, age_hours, 0 as views, true as is_asked from asked
),
known as (
    -- an item's views up to an age, at every age that is asked for
    select item, age_hours, views_so_far
    from (
        select
            *,
            sum(views) over (partition by item order by age_hours, is_asked rows unbounded preceding) as views_so_far
        from courses
    )
    where is_asked
),
found as (
    select a.item, a.other, k.views_so_far as views
    from asked as a
    inner join known as k on k.item = a.other and k.age_hours = a.age_hours
),
ranked as (
    select
        item, views,
        row_number() over (partition by item order by views) as place,
        count(*) over (partition by item) as others
    from found
    where other <> item
),
expected as (
    select
        item,
        any_value(others) as age_matched_items,
        avg(views) filter (where place > others // 10 and place <= others - others // 10) as age_matched_views
    from ranked
    group by item
)
select
    s.workspace_id, s.content_id,
    coalesce(e.age_matched_items, 0) as age_matched_items,
    e.age_matched_views,
    case when e.age_matched_items >= 3 then round(f.views / nullif(e.age_matched_views, 0), 9) end as vs_age_matched
from standing as s
inner join found as f on f.item = s.item and f.other = s.item
left join expected as e on e.item = s.item
