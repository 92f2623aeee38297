-- Grain: one metric name of an import file, with the platform, level and kind it is used with. Input: raw.
select distinct
    lower(filled(platform)) as platform,
    filled(metric) as name,
    case when filled(post_id) is null then 'account' else 'post' end as level,
    lower(filled(kind)) as given_kind
from raw
