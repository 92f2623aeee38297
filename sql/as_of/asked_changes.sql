-- The changes that are asked about, the largest relative change first. Input: changes (as_of/restatements.sql).
select *
from changes
where
    ($account is null or account_id = $account) and ($metric is null or metric = $metric)
    and ($grain is null or grain = $grain)
limit $limit
