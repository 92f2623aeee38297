-- daily_metrics, entity_type 'account', platform 'app': what the application and webhooks know of messages and
-- conversations of an account. Grain: one metric of one account on one day in [$start, $end).
-- Inputs: app_messages, message_statuses, app_conversations, application_reads, the catalogue.
with
messages as (
    -- include messaging/messages.sql
),
entity_messages as (
    select *, account_id as entity_id from messages
),
window_days as (
    -- include messaging/window_days.sql
),
changes as (
    select * exclude (account_id), account_id as entity_id
    from (
        -- include messaging/conversation_changes.sql
    )
),
known_days as (
    -- include messaging/known_days.sql
),
sums as (
    -- include messaging/sums_of_days.sql
),
counts as (
    select * from (
        -- include messaging/message_counts.sql
    )
    union all by name
    select * from (
        -- include messaging/day_counts.sql
    )
)
select * from (
    -- include messaging/application_rows.sql
)
