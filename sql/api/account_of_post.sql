-- Accounts of one workspace that have a post of this id.
select distinct account_id
from posts
where workspace_id = $workspace_id and post_id = $post_id
order by account_id
