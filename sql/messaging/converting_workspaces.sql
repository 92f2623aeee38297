-- Workspaces that track conversions: any message of theirs ever has one. Grain: one workspace. Input: app_messages.
select distinct workspace_id
from app_messages
where converted_at is not null and workspace_id is not null
order by workspace_id
