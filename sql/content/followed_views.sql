-- Grain: one view, begun in an hour of built_hours. start_id is the view_start's event id where session and content do
-- not tell it. Progress without a view_start counts nowhere: content/orphans.sql tells how much there is.
-- Inputs: session_views, tangled_views, built_hours.
select v.*
from (
    select * from session_views where is_plain
    union all
    select * from tangled_views
) as v
inner join built_hours as b on b.date = v.date and b.hour = v.hour
