-- Which metrics' readings a metric is computed from. Grain: one pair of metric and input. engagement is the sum that
-- daily/derived.sql makes; input_days says how many days back its readings may lie. Input: metric_catalog.
with
pairs as (
    select metric, metric as input from metric_catalog
    union all
    select 'engagement', unnest(['likes', 'comments', 'shares', 'saves'])
    union all
    select 'follower_growth', 'followers'
),
operands as (
    select metric, numerator as operand from metric_catalog where derived and numerator is not null
    union all
    select metric, denominator from metric_catalog where derived and denominator is not null
)
select metric, input from pairs
union
select o.metric, p.input
from operands as o
inner join pairs as p on p.metric = o.operand
