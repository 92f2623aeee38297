-- The new values of the newest day that changed, workspace and account level, one more than may be told of each.
-- Grain: entity, platform, metric; once for its workspace (whole) and once for its account.
with
standing as (
    select workspace_id, type, account_id, day, entity_type, entity_id, platform, metric, value
    from changed
    where stands and entity_type in ('workspace', 'account')
),

for_whole as (
    select *, true as whole
    from standing
    qualify
        day = max(day) over (partition by workspace_id, type)
        and row_number() over (partition by workspace_id, type, day order by entity_type, entity_id, platform, metric)
        <= $values + 1
),

for_accounts as (
    select *, false as whole
    from standing
    where account_id is not null
    qualify
        day = max(day) over (partition by workspace_id, type, account_id)
        and row_number() over (partition by workspace_id, type, account_id, day order by platform, metric)
        <= $values + 1
)

select * from for_whole
union all
select * from for_accounts
order by workspace_id, type, whole, account_id, entity_type, entity_id, platform, metric
