-- Rows of daily_metrics, platform 'app', from the relation `counts` (date, workspace_id, entity_id, metric, topic,
-- is_level, is_idle, value, lifetime_value, numerator, denominator), and every derived ratio of the catalogue whose
-- parts are in it. Grain: one metric of one entity (of level $level) and day. Input: application_reads, which tells up
-- to when the application's table `topic` is known; one that nobody ever read is known by itself, from webhooks.
-- Where nothing happened there is no row or a zero; where nobody knows whether anything did, the state says so.
with
ratios as (
    select
        n.date, n.workspace_id, n.entity_id, m.metric, n.topic, n.is_level, n.is_idle,
        n.value / nullif(d.value, 0) as value,
        n.lifetime_value / nullif(d.lifetime_value, 0) as lifetime_value,
        n.value as numerator,
        d.value as denominator
    from metric_catalog as m
    inner join counts as n on n.metric = m.numerator
    inner join counts as d
        on d.metric = m.denominator and d.date = n.date and d.workspace_id = n.workspace_id and d.entity_id = n.entity_id
    where m.additivity = 'ratio' and m.derived and list_contains(m.levels, $level)
),
measured as (
    select * from counts
    union all by name
    select * from ratios
),
read_tables as (
    select distinct table_name
    from application_reads
),
known as (
    select
        m.*,
        t.table_name is null or coalesce(r.last_read_at >= day_start(m.date), false) as is_known,
        t.table_name is null or coalesce(r.last_read_at >= day_start(m.date) + interval 1 day, false) as is_read,
        coalesce(r.last_read_at, least($now, day_start(m.date) + interval 1 day)) as last_read_at
    from measured as m
    left join read_tables as t on t.table_name = m.topic
    left join application_reads as r on r.table_name = m.topic and r.date = m.date
),
stated as (
    select
        * replace (case when is_known or not is_idle then value end as value),
        case
            when is_idle and not is_known then 'unknown'
            when value is null and denominator = 0 then 'insufficient_data'
            when value is null then 'no_components'
            when value = 0 then 'zero'
            else 'value'
        end as state
    from known
    -- a message that was counted nowhere else leaves no zeros behind
    where value is not null or not is_idle or not is_known
)
select
    date, workspace_id,
    'app' as platform,
    $level as entity_type,
    entity_id,
    case when $level = 'account' then entity_id end as account_id,
    metric, value, lifetime_value, numerator, denominator, state,
    case
        when state = 'unknown' then 'the application was not read for this day'
        when state = 'insufficient_data' and metric = 'contact_engagement_score'
            then 'no contact had a delivered message in the days before'
        when state = 'insufficient_data' then 'there was nothing to divide by'
        when date < utc_day($now) and not is_read then 'the application was not read after this day'
    end as reason,
    'application' as source,
    date < utc_day($now) and is_read as is_complete,
    topic = 'messages' and plus_days(date, $reply_days) >= utc_day($now) as is_provisional,
    1 as definition_version,
    case when state = 'unknown' then 0 else 1 end as readings,
    1 as readings_expected,
    cast(null as bigint) as days_spanned,
    cast(null as bigint) as entities_present,
    cast(null as bigint) as entities_expected,
    last_read_at,
    'UTC' as day_timezone,
    false as approximate
from stated
