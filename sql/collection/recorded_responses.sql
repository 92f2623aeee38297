-- Raw responses of turns that asked about an instant in [$start, $end), in the order they came. Grain: one response.
select
    run_id, workspace_id, account_id, collection, window_start, window_end, asked_at,
    method, endpoint, params, status, body, post_hours, only_posts
from api_responses
where
    platform = $platform and collection = $collection
    -- received on the day asked about, or later where the past was asked for
    and date >= $start_day
    and asked_at >= $start and asked_at < $end
order by run_id, workspace_id, account_id, asked_at, window_start, sequence
