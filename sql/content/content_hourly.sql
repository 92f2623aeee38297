-- content_hourly. Grain: one content item in one UTC hour of the relation built_hours. Inputs: content_hours,
-- content_numbers.
select h.* exclude (content_no) replace (coalesce(h.creator_id, n.creator_id) as creator_id)
from content_hours as h
inner join content_numbers as n on n.content_no = h.content_no
order by h.content_no
