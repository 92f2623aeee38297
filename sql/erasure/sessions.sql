-- The sessions in which people to be erased were signed in.
select distinct p.erasure_id, e.session_id
from events as e
inner join erased as p on e.workspace_id = p.workspace_id and e.viewer_hash = p.viewer_hash
where e.session_id is not null
