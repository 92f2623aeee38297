-- Where a creator's views of the days [$first, $end) came from: countries by their share of the views that name one.
-- Grain: one country. Input: content_audience_daily.
with counted as (
    select value as country, sum(views) as views
    from content_audience_daily
    where
        workspace_id = $workspace_id and creator_id = $entity_id and dimension = 'country'
        and date >= $first and date < $end
    group by value
)
select
    country, cast(views as bigint) as views,
    case when country <> 'unknown' then finite(views / nullif(sum(views) filter (where country <> 'unknown') over (), 0)) end
        as share
from counted
order by country = 'unknown', views desc, country
limit 21
