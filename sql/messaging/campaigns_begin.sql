-- The first day that campaigns with messages stored in [$first, $end) have: from it on their lives are counted. Grain:
-- one row; null where there is none. Inputs: app_messages, app_campaigns.
select min(k.date) as first_day
from app_campaigns as k
semi join app_messages as m
    on m.workspace_id = k.workspace_id and m.campaign_id = k.id and m.date >= $first and m.date < $end
