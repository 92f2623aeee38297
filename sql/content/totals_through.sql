-- The last day that the totals count. Grain: one row.
select max(through_date) as through_date from content_totals
