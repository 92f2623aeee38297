-- What has drifted on days of [$start, $end) and in periods that begin there, exact comparisons first, then the largest.
-- Grain: one drift.
select date, grain, workspace_id, platform, comparison, entity_type, entity_id, metric, is_exact,
    compared, differing, value, against, absolute_drift, relative_drift
from reconciliations
where date >= $start and date < $end and state = 'drift'
order by is_exact desc, relative_drift desc nulls first, absolute_drift desc, workspace_id, platform, date, metric
