-- content after new attributes: the newest word on an item counts whole; of equally new ones the one that came last.
with versions as (
    select *, 0 as arrival from existing
    union all by name
    select *, 1 as arrival from incoming
)
select * exclude (arrival)
from versions
qualify row_number() over (
    partition by workspace_id, content_id
    order by updated_at desc, arrival desc, caption, creator_id, metadata
) = 1
order by workspace_id, content_id
