-- The events that one import brought, as far as they are needed to take them back. Grain: one event. Input: events.
select workspace_id, event_id, date, session_id, content_id, event_type, event_ts
from events
where import_id = $import_id
