-- Grain: one metric of one workspace or account in one week or month, as the text that stands for it in a snapshot.
-- Inputs: rolled (weekly_metrics or monthly_metrics with the period's first day as `date`), calendar, daily_metrics. A
-- metric that no day of the period could have (state not_supported) is not expected. A number that is not finite has
-- no place in JSON: it is null, with a reason.
with
unsupported as (
    select c.period_start as date, d.workspace_id, d.platform, d.entity_type, d.entity_id, d.metric
    from daily_metrics as d
    inner join calendar as c on c.date = d.date
    where
        d.entity_type in ('account', 'workspace') and d.date >= $start and d.date < $end and d.value is null
    group by c.period_start, d.workspace_id, d.platform, d.entity_type, d.entity_id, d.metric
    having bool_and(d.state = 'not_supported')
),
judged as (
    select
        r.*,
        u.metric is null or r.days_present > 0 as is_expected,
        not coalesce(
            isfinite(r.value) and isfinite(coalesce(r.total, 0)) and isfinite(coalesce(r.daily_average, 0))
            and isfinite(coalesce(r.previous_value, 0)) and isfinite(coalesce(r.change, 0))
            and isfinite(coalesce(r.growth_rate, 0)) and isfinite(coalesce(r.compared_value, 0))
            and isfinite(coalesce(r.compared_previous, 0)),
            true
        ) as is_not_finite,
        -- what the rate compares, where it is not the value itself
        case
            when r.compared_value is not null or r.compared_previous is not null then {
                'value': finite(r.compared_value), 'previous': finite(r.compared_previous), 'days': r.compared_days
            }
        end as compared
    from rolled as r
    left join unsupported as u
        on u.date = r.date and u.workspace_id = r.workspace_id and u.platform = r.platform
        and u.entity_type = r.entity_type and u.entity_id = r.entity_id and u.metric = r.metric
)
select
    date, workspace_id, entity_type, entity_id, platform, metric,
    is_not_finite,
    is_expected,
    finite(value) is not null as has_value,
    coalesce(is_complete, false) and not is_not_finite as is_complete,
    coalesce(is_provisional, false) as is_provisional,
    last_read_at,
    case
        when reason is null and not is_not_finite then json_text({
            'value': value, 'total': total, 'daily_average': daily_average, 'previous_value': previous_value,
            'change': change, 'growth_rate': growth_rate, 'growth_state': growth_state, 'compared': compared,
            'days_present': days_present, 'days_expected': days_expected, 'is_complete': coalesce(is_complete, false),
            'is_provisional': coalesce(is_provisional, false)
        })
        else json_text({
            'value': finite(value), 'total': finite(total), 'daily_average': finite(daily_average),
            'previous_value': finite(previous_value), 'change': finite(change), 'growth_rate': finite(growth_rate),
            'growth_state': case when isfinite(value) then growth_state else 'no_value' end,
            'compared': compared, 'days_present': days_present, 'days_expected': days_expected,
            'is_complete': coalesce(is_complete, false) and not is_not_finite,
            'is_provisional': coalesce(is_provisional, false),
            'reason': case when is_not_finite then 'a number is not finite' else reason end
        })
    end as figure
from judged
