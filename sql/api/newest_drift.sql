-- The largest relative drift of each comparison on its newest day: of complete comparisons whose sides should meet.
with judged as (
    select comparison, date, relative_drift, absolute_drift
    from reconciliations
    where is_judged and is_complete
)
select
    comparison,
    -- both sides 0 and yet different: there is no ratio, and all of it is drift
    max(coalesce(relative_drift, case when absolute_drift > 0 then 1 else 0 end)) as drift
from judged
where date = (select max(date) from judged as newer where newer.comparison = judged.comparison)
group by comparison
order by comparison
