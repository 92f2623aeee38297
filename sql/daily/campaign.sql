-- daily_metrics, entity_type 'campaign', platform 'app'. Grain: one metric of one campaign on one day in [$start, $end)
-- on which it sent anything, or began. value is the day's cohort, lifetime_value all cohorts since the campaign's first
-- day, null where the application has no such campaign; the score is of the lifetime. Inputs: app_messages (of the days
-- since $counted_from), message_statuses, app_campaigns, application_reads, the catalogue, and the relation `converting`
-- (workspace_id: those that track conversions).
with
messages as (
    -- include messaging/messages.sql
),
entity_messages as (
    select *, campaign_id as entity_id from messages where not is_inbound
),
campaigns as (
    select
        workspace_id, id as entity_id, recipients, date as stored_date,
        coalesce(utc_day(started_at), date) as started_on
    from app_campaigns
    where workspace_id is not null
),
cohorts as (
    -- include messaging/message_sums.sql
),
lives as (
    select
        c.*,
        k.entity_id is not null as has_life,
        sum(case when k.entity_id is not null then c.attempted end) over life as life_attempted,
        sum(case when k.entity_id is not null then c.sent end) over life as life_sent,
        sum(case when k.entity_id is not null then c.delivered end) over life as life_delivered,
        sum(case when k.entity_id is not null then c.read end) over life as life_read,
        sum(case when k.entity_id is not null then c.failed end) over life as life_failed,
        sum(case when k.entity_id is not null then c.replied end) over life as life_replied,
        sum(case when k.entity_id is not null then c.converted end) over life as life_converted
    from cohorts as c
    left join campaigns as k
        on k.workspace_id = c.workspace_id and k.entity_id = c.entity_id
        and c.date >= k.stored_date and k.stored_date >= $counted_from
    window life as (
        partition by c.workspace_id, c.entity_id order by c.date rows between unbounded preceding and current row
    )
),
in_window as (
    select * from lives where date >= $start
),
cohort_counts as (
    with sums as (
        select
            *,
            0 as inbound, 0 as answered, 0 as unanswered, 0 as response_seconds, 0 as active_contacts, sent as campaign_sent
        from (select date, workspace_id, entity_id, attempted, sent, delivered, read, failed, replied, converted from in_window)
    )
    select * from (
        -- include messaging/message_counts.sql
    )
),
life_counts as (
    with sums as (
        select
            date, workspace_id, entity_id,
            life_attempted as attempted, life_sent as sent, life_delivered as delivered, life_read as read,
            life_failed as failed, life_replied as replied, life_converted as converted,
            0 as inbound, 0 as answered, 0 as unanswered, 0 as response_seconds, 0 as active_contacts, 0 as campaign_sent
        from in_window
    )
    select * from (
        -- include messaging/message_counts.sql
    )
),
campaign_rates as (
    select
        l.date, l.workspace_id, l.entity_id,
        l.life_sent, l.life_delivered,
        l.life_delivered / nullif(l.life_sent, 0) as delivery_rate,
        l.life_read / nullif(l.life_delivered, 0) as read_rate,
        l.life_replied / nullif(l.life_delivered, 0) as reply_rate,
        l.life_converted / nullif(l.life_delivered, 0) as conversion_rate,
        t.workspace_id is not null as conversions_tracked
    from in_window as l
    left join converting as t on t.workspace_id = l.workspace_id
),
scores as (
    -- include messaging/campaign_scores.sql
),
counts as (
    select c.* replace (l.value as lifetime_value)
    from cohort_counts as c
    inner join life_counts as l using (date, workspace_id, entity_id, metric)
    union all by name
    select
        s.date, s.workspace_id, s.entity_id, m.metric,
        'messages' as topic,
        true as is_level,
        false as is_idle,
        s.campaign_score as value,
        s.campaign_score as lifetime_value,
        cast(null as double) as numerator,
        -- a score of nothing that arrived is none
        case when s.life_delivered = 0 then 0.0 end as denominator
    from scores as s
    inner join metric_catalog as m on m.metric = 'campaign_score'
    union all by name
    select
        k.started_on as date, k.workspace_id, k.entity_id, m.metric,
        'campaigns' as topic,
        false as is_level,
        false as is_idle,
        cast(k.recipients as double) as value,
        cast(k.recipients as double) as lifetime_value
    from campaigns as k
    inner join metric_catalog as m on m.metric = 'campaign_recipients'
    where
        k.started_on >= $start and k.started_on < $end and k.started_on <= utc_day($now) and k.recipients is not null
),
rows as (
    -- include messaging/application_rows.sql
)
select * from rows
order by workspace_id, platform, entity_id, metric
