-- campaign_score = 100 x (0.25 delivery + 0.30 read + 0.30 min(1, reply / 0.20) + 0.15 min(1, conversion / 0.10)), a
-- formula of our own, version 1: its weights stand here and nowhere else. Where conversions are not tracked the other
-- weights are divided by their sum. From the relation `campaign_rates` (delivery_rate, read_rate, reply_rate,
-- conversion_rate, conversions_tracked). Grain: a row of it, with the points of each part and the weights used.
with
weights as (
    select
        *,
        0.25 / total_weight as delivery_weight,
        0.30 / total_weight as read_weight,
        0.30 / total_weight as reply_weight,
        case when conversions_tracked then 0.15 else 0.0 end / total_weight as conversion_weight
    from (
        select *, 0.25 + 0.30 + 0.30 + case when conversions_tracked then 0.15 else 0.0 end as total_weight
        from campaign_rates
    )
),
points as (
    select
        * exclude (total_weight),
        100 * delivery_weight * delivery_rate as delivery_points,
        100 * read_weight * read_rate as read_points,
        100 * reply_weight * case when reply_rate > 0.20 then 1 else reply_rate / 0.20 end as reply_points,
        case
            when not conversions_tracked then 0
            else 100 * conversion_weight * case when conversion_rate > 0.10 then 1 else conversion_rate / 0.10 end
        end as conversion_points
    from weights
)
select *, round(delivery_points + read_points + reply_points + conversion_points, 6) as campaign_score
from points
