-- daily_metrics, entity_type 'workspace', platform 'app': messages, contacts, conversations and campaigns of the
-- application, counted from its rows and never summed over accounts. Grain: one metric of one workspace on one day in
-- [$start, $end). Inputs: app_messages, message_statuses, app_contacts, app_conversations, app_campaigns,
-- application_reads, the catalogue.
with
messages as (
    -- include messaging/messages.sql
),
entity_messages as (
    select *, workspace_id as entity_id from messages
),
window_days as (
    -- include messaging/window_days.sql
),
changes as (
    select *, workspace_id as entity_id
    from (
        -- include messaging/workspace_changes.sql
    )
),
known_days as (
    -- include messaging/known_days.sql
),
sums as (
    -- include messaging/sums_of_days.sql
),
campaign_days as (
    select
        date, workspace_id, campaign_id,
        count(*) filter (where is_sent) as sent,
        count(*) filter (where is_delivered) as delivered,
        count(*) filter (where is_read) as read
    from messages
    where
        campaign_id is not null and not is_inbound
        and date >= $start and date < $end and date <= utc_day($now)
    group by date, workspace_id, campaign_id
),
campaign_means as (
    -- of campaigns that have a rate: one nothing of which was sent has none
    select
        date, workspace_id,
        coalesce(stable_sum(delivered / nullif(sent, 0)), 0) as delivery_rates,
        count(delivered / nullif(sent, 0)) as with_delivery_rate,
        coalesce(stable_sum(read / nullif(delivered, 0)), 0) as read_rates,
        count(read / nullif(delivered, 0)) as with_read_rate
    from campaign_days
    group by date, workspace_id
),
campaign_counts as (
    select
        c.date, c.workspace_id, c.workspace_id as entity_id, m.metric,
        'messages' as topic,
        false as is_level,
        false as is_idle,
        cast(case m.metric
            when 'campaign_delivery_rates' then c.delivery_rates
            when 'campaigns_with_delivery_rate' then c.with_delivery_rate
            when 'campaign_read_rates' then c.read_rates
            when 'campaigns_with_read_rate' then c.with_read_rate
        end as double) as value
    from campaign_means as c
    inner join metric_catalog as m on list_contains(m.levels, $level)
    where m.metric in (
        'campaign_delivery_rates', 'campaigns_with_delivery_rate', 'campaign_read_rates', 'campaigns_with_read_rate'
    )
),
counts as (
    select * from (
        -- include messaging/message_counts.sql
    )
    union all by name
    select * from (
        -- include messaging/day_counts.sql
    )
    union all by name
    select * from campaign_counts
    union all by name
    select * from (
        -- include messaging/contact_score_days.sql
    )
)
select * from (
    -- include messaging/application_rows.sql
)
