-- How many of the numbers that are asked about changed, and by how much. One row. Input: numbers_compared
-- (as_of/compared.sql).
select
    count(kind) as changed,
    count(*) as "of",
    count(*) filter (where kind = 'restated') as restated,
    count(*) filter (where kind = 'arrived late') as late,
    count(*) filter (where kind = 'withdrawn') as withdrawn,
    median_of(case when kind is not null then abs(relative_change) end) as median,
    max(abs(relative_change)) filter (where kind is not null) as largest
from numbers_compared
where
    ($account is null or account_id = $account) and ($metric is null or metric = $metric)
    and ($grain is null or grain = $grain)
