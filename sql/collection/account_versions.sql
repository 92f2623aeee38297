-- Every version of one account, oldest first. Without a workspace: of every account that has this id.
select
    workspace_id,
    platform,
    external_id,
    valid_from,
    valid_to,
    name,
    account_type as type,
    status,
    reason,
    changed
from account_history
where account_id = $account_id and workspace_id = coalesce($workspace_id, workspace_id)
order by workspace_id, valid_from
