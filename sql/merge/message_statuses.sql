-- One row per message of what is known of it and what was told now: of each status the earliest instant, of the earliest
-- failure the code. A read message was delivered, whether that was told or not, and a delivered one has not failed.
-- Grain: message. Inputs: existing and incoming, rows of message_statuses; whatever order they came in, and however
-- often, the result is the same.
with told as (
    select * from existing
    union all by name
    select * from incoming
),
failures as (
    select workspace_id, platform, account_id, message_id, error_code
    from told
    where failed_at is not null
    qualify row_number() over (
        partition by workspace_id, platform, account_id, message_id order by failed_at, error_code nulls last
    ) = 1
),
messages as (
    select
        workspace_id,
        platform,
        account_id,
        message_id,
        min(recipient_hash) as recipient_hash,
        min(sent_at) as sent_at,
        min(delivered_at) as delivered_at,
        min(read_at) as read_at,
        min(failed_at) as failed_at,
        min(pricing_category) as pricing_category,
        max(received_at) as received_at
    from told
    group by workspace_id, platform, account_id, message_id
)
select
    m.workspace_id,
    m.platform,
    utc_day(least(m.sent_at, m.delivered_at, m.read_at, m.failed_at)) as date,
    m.account_id,
    m.message_id,
    m.recipient_hash,
    case
        when m.read_at is not null then 'read'
        when m.delivered_at is not null then 'delivered'
        when m.failed_at is not null then 'failed'
        else 'sent'
    end as status,
    m.sent_at,
    m.delivered_at,
    m.read_at,
    m.failed_at,
    f.error_code,
    m.pricing_category,
    m.received_at
from messages as m
left join failures as f
    on f.workspace_id = m.workspace_id
    and f.platform = m.platform
    and f.account_id = m.account_id
    and f.message_id = m.message_id
