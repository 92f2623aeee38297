-- Follows that name a creator and no content, in [$start, $end). Grain: one creator and day.
select
    date, workspace_id, creator_id,
    count(distinct event_id) filter (where event_type = 'follow') as follows,
    count(distinct event_id) filter (where event_type = 'unfollow') as unfollows
from events
where
    date >= $start and date < $end and event_type in ('follow', 'unfollow')
    and content_id is null and creator_id is not null and not coalesce(is_bot, false)
group by date, workspace_id, creator_id
