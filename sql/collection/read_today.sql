-- What was read of $platform in this UTC day so far. Grain: one post, or an account itself (post_id null).
select distinct workspace_id, account_id, post_id
from counter_readings
where platform = $platform and date = $today and source = 'fetched'
