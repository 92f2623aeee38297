-- Every account as it is now, also the removed ones: the current rows of account_history.
select
    workspace_id,
    platform,
    account_id,
    external_id,
    name,
    account_type,
    status,
    reason,
    status_at as status_since,
    profile_read_at as name_since,
    profile_confirmed_at as name_confirmed_at
from account_history
where is_current
