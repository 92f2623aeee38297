-- How views came with the age of an item, in steps: every hour up to two days, every day from there on. Grain: one
-- content item and step, from the relation `aged_hours` (workspace_id, content_id, exists_since, hour_start, views).
-- An hour belongs to the age at which it begins; what came before publication belongs to the first step.
with
ages as (
    select
        workspace_id, content_id, exists_since, views,
        greatest(1, hours_between(exists_since, hour_start) + 1) as age
    from aged_hours
)
select
    workspace_id, content_id, exists_since,
    cast(case when age <= 48 then age else 24 * ceil(age / 24) end as bigint) as age_hours,
    cast(sum(views) as bigint) as views
from ages
group by 1, 2, 3, 4
