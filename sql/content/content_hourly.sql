-- content_hourly. Grain: one content item in one UTC hour of the relation built_hours. Inputs: content_hours, content.
select h.* replace (coalesce(h.creator_id, c.creator_id) as creator_id)
from content_hours as h
left join content as c on c.workspace_id = h.workspace_id and c.content_id = h.content_id
order by h.workspace_id, h.content_id
