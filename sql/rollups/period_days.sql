-- Grain: one row of daily_metrics with the period its day lies in. Inputs: daily_metrics, calendar, metric_catalog.
-- Put in wherever days are read: each reader then takes only the columns it needs, and keeps none.
select d.*, c.period_start, c.day_offset, m.additivity
from daily_metrics as d
inner join calendar as c using (date)
inner join metric_catalog as m using (metric)
where d.date >= $first and d.date < $end
