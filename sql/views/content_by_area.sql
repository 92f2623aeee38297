-- Views of one content item on one day, begun in one cell of a grid of 0.1 degree (about 11 km from south to north),
-- by the place's centre: only views whose viewers agreed to a precise location. Cells of fewer than
-- METRICS_AREA_MINIMUM_VIEWERS (5) distinct people are one row without a place, so that nobody is singled out. Views
-- add up over cells and days, unique_viewers never do. Bots are left out; kept as long as raw events.
with
placed as (
    select
        workspace_id, content_id, date, event_id, viewer_hash,
        area_of(latitude, longitude, 0.1).latitude as cell_latitude,
        area_of(latitude, longitude, 0.1).longitude as cell_longitude
    from events
    where
        event_type = 'view_start' and content_id is not null and not coalesce(is_bot, false)
        and location_consent and latitude is not null and longitude is not null
),
cells as (
    select
        workspace_id, content_id, date, cell_latitude, cell_longitude,
        count(distinct viewer_hash) >= area_minimum_viewers() as is_shown
    from placed
    group by workspace_id, content_id, date, cell_latitude, cell_longitude
)
select
    p.workspace_id, p.content_id, p.date,
    case when c.is_shown then p.cell_latitude end as cell_latitude,
    case when c.is_shown then p.cell_longitude end as cell_longitude,
    count(distinct p.event_id) as views,
    count(distinct p.viewer_hash) as unique_viewers
from placed as p
inner join cells as c using (workspace_id, content_id, date, cell_latitude, cell_longitude)
group by all
