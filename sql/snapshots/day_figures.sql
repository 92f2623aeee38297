-- Grain: one metric of one workspace or account on one day in [$start, $end), as the text that stands for it in a
-- snapshot. Input: daily_metrics. A number that is not finite has no place in JSON: it is null, with a reason.
select
    date, workspace_id, entity_type, entity_id, platform, metric,
    not coalesce(isfinite(value), true) as is_not_finite,
    state <> 'not_supported' as is_expected,
    finite(value) is not null as has_value,
    coalesce(is_complete, false) and coalesce(isfinite(value), true) as is_complete,
    coalesce(is_provisional, false) as is_provisional,
    last_read_at,
    case
        when not isfinite(value) then json_text({
            'value': null, 'state': 'failed', 'is_complete': false, 'is_provisional': coalesce(is_provisional, false),
            'reason': 'the number is not finite'
        })
        when reason is null then json_text({
            'value': value, 'state': state, 'is_complete': coalesce(is_complete, false),
            'is_provisional': coalesce(is_provisional, false)
        })
        else json_text({
            'value': value, 'state': state, 'is_complete': coalesce(is_complete, false),
            'is_provisional': coalesce(is_provisional, false), 'reason': reason
        })
    end as figure
from daily_metrics
where entity_type in ('account', 'workspace') and date >= $start and date < $end
