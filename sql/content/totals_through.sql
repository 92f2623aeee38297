-- The last day that the totals count, and whether any day up to $closed is there to be counted. Grain: one row.
select
    (select max(through_date) from content_totals) as through_date,
    exists(select 1 from content_daily where date <= $closed) as has_days
