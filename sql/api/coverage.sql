-- Accounts with a value among accounts asked, by day, platform and collection, of one workspace or of all.
with asked as (
    select *
    from collection_status
    where
        (cast($workspace_id as varchar) is null or workspace_id = $workspace_id)
        and (cast($platform as varchar) is null or platform = $platform)
)
select *
from (
    -- include includes/coverage_counts.sql
)
order by date desc, platform, collection
