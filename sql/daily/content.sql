-- daily_metrics, entity_type 'content', platform 'app'. Grain: one metric of one content item on one day in
-- [$start, $end) on which anything happened to it. Inputs: content_daily and the catalogue.
with
entity_days as (
    select * exclude (content_id), content_id as entity_id, cast(null as bigint) as contents
    from content_daily
    where date >= $start and date < $end
),
rows as (
    -- include content/canonical.sql
)
select * from rows
