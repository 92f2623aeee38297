-- Messages as the application counts them (platform app) against WhatsApp's own analytics of the same account. Grain:
-- account, metric, day in [$start, $end). Both count by the day a message was sent, in zones that may differ. Inputs:
-- daily_metrics.
select
    'application_and_platform' as comparison,
    'day' as grain,
    a.date, a.workspace_id,
    'whatsapp' as platform,
    'account' as entity_type,
    a.entity_id, a.metric,
    false as is_exact,
    true as is_judged,
    cast(1 as bigint) as compared,
    (a.value <> w.value)::bigint as differing,
    a.value,
    w.value as against,
    a.is_complete and w.is_complete as is_complete,
    abs(a.value - w.value) as absolute_drift
from daily_metrics as a
inner join daily_metrics as w
    on w.date = a.date and w.workspace_id = a.workspace_id and w.entity_id = a.entity_id and w.metric = a.metric
    and w.entity_type = 'account' and w.platform = 'whatsapp'
where
    a.entity_type = 'account' and a.platform = 'app' and a.date >= $start and a.date < $end
    and a.value is not null and w.value is not null
