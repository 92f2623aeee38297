-- daily_metrics, entity_type 'workspace', platform 'app': the application's own content. Grain: one metric of one
-- workspace on one day in [$start, $end) on which anything happened. Distinct viewers are counted anew. Days whose
-- viewers are no longer kept (before $viewers_from) stay as they are. Inputs: content_daily, viewer_days, events,
-- daily_metrics, the catalogue.
with
happenings as (
    select *, workspace_id as entity_id
    from content_daily
    where date >= $start and date < $end and date >= $viewers_from
    union all by name
    select *, workspace_id as entity_id
    from (
        -- include content/bare_follows.sql
    )
    where date >= $viewers_from
),
viewed as (
    select date, workspace_id, workspace_id as entity_id, viewer_hash
    from viewer_days
    where date >= $start and date < $end and date >= $viewers_from
),
entity_days as (
    -- include content/summed_days.sql
),
rows as (
    -- include content/canonical.sql
)
select * from rows
union all by name
select *
from daily_metrics
where
    entity_type = 'workspace' and platform = 'app' and source = 'events'
    and date >= $start and date < $end and date < $viewers_from
