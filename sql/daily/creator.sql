-- daily_metrics, entity_type 'creator', platform 'app'. Grain: one metric of one creator on one day in [$start, $end).
-- Counts are sums over the creator's content; distinct viewers are counted anew from viewer_days, never summed.
-- Follows that name no content are the creator's alone. Inputs: content_daily, viewer_days, events, the catalogue.
with
happenings as (
    select *, creator_id as entity_id
    from content_daily
    where date >= $start and date < $end and creator_id is not null
    union all by name
    select *, creator_id as entity_id
    from (
        -- include content/bare_follows.sql
    )
),
viewed as (
    select date, workspace_id, creator_id as entity_id, viewer_hash
    from viewer_days
    where date >= $start and date < $end and creator_id is not null
),
entity_days as (
    -- include content/summed_days.sql
),
rows as (
    -- include content/canonical.sql
)
select * from rows
