-- Items whose sketch took in viewers of version $since of viewer_days or later: such a day may have come and expired
-- in between. Grain: one content item. Input: viewer_sketches.
select workspace_id, content_id
from viewer_sketches
where viewers_version >= $since
