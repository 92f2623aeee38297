-- contact_engagement_score = 100 x (0.35 read rate + 0.40 reply rate + 0.25 x 0.5 ^ (days since last inbound / 14)),
-- a formula of our own, version 1: its weights stand here and nowhere else. From the relation `contact_rates` (read_rate,
-- reply_rate, days_since_inbound; null where the contact has not written). Grain: a row of it, with the points of each part.
select
    *,
    round(read_points + reply_points + recency_points, 6) as engagement_score
from (
    select
        *,
        35 * read_rate as read_points,
        40 * reply_rate as reply_points,
        25 * coalesce(pow(0.5, days_since_inbound / 14.0), 0) as recency_points
    from contact_rates
)
