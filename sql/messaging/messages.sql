-- Messages with all that is known of them. Grain: one message of a workspace. Inputs: app_messages, message_statuses.
-- What the application keeps and what webhooks told are one message where workspace and id are the same and their
-- days lie at most $match_days apart: of each instant the earlier one counts, and the furthest that either knows. A
-- message known from webhooks only is outbound, without campaign, contact and conversation.
-- date is the day it was sent, of one that never was the day it failed. An inbound message begins a burst unless one
-- came before it in the conversation, at most $reply_days earlier and not answered yet; the answer is the next
-- outbound message that is no template.
with
told as (
    select
        workspace_id, message_id,
        min(date) as date,
        min(account_id) as account_id,
        min(sent_at) as sent_at,
        min(delivered_at) as delivered_at,
        min(read_at) as read_at,
        min(failed_at) as failed_at,
        bool_or(status = 'sent') as says_sent,
        bool_or(status = 'delivered') as says_delivered,
        bool_or(status = 'read') as says_read,
        bool_or(status = 'failed') as says_failed
    from message_statuses
    where workspace_id is not null and message_id is not null
    group by workspace_id, message_id
),
kept as (
    select *, lower(status) as last_word
    from app_messages
    where workspace_id is not null
),
joined as (
    select
        coalesce(k.workspace_id, t.workspace_id) as workspace_id,
        coalesce(k.id, t.message_id) as message_id,
        coalesce(k.account_id, t.account_id) as account_id,
        k.conversation_id, k.contact_id, k.campaign_id,
        coalesce(lower(k.direction), case when t.message_id is not null then 'outbound' end) as direction,
        coalesce(k.is_template, false) as is_template,
        k.converted_at,
        coalesce(k.date, t.date) as stored_date,
        earlier_of(k.sent_at, t.sent_at) as sent_at,
        earlier_of(k.delivered_at, t.delivered_at) as delivered_at,
        earlier_of(k.read_at, t.read_at) as read_at,
        earlier_of(k.failed_at, t.failed_at) as failed_at,
        coalesce(k.last_word = 'sent', false) or coalesce(t.says_sent, false) as says_sent,
        coalesce(k.last_word = 'delivered', false) or coalesce(t.says_delivered, false) as says_delivered,
        coalesce(k.last_word = 'read', false) or coalesce(t.says_read, false) as says_read,
        coalesce(k.last_word = 'failed', false) or coalesce(t.says_failed, false) as says_failed
    from kept as k
    full join told as t
        on t.workspace_id = k.workspace_id and t.message_id = message_key(k.id)
        and t.date >= plus_days(k.date, -$match_days) and t.date <= plus_days(k.date, $match_days)
),
placed as (
    select
        workspace_id, message_id, account_id, conversation_id, contact_id, campaign_id, is_template, converted_at,
        direction = 'inbound' as is_inbound,
        coalesce(sent_at, earlier_of(delivered_at, read_at), failed_at) as happened_at,
        stored_date,
        sent_at is not null or says_sent as is_sent,
        delivered_at is not null or read_at is not null or says_delivered or says_read as is_delivered,
        read_at is not null or says_read as is_read,
        failed_at is not null or says_failed as is_failed
    from joined
    where direction in ('inbound', 'outbound')
),
followed as (
    select
        *,
        min(case when is_inbound then happened_at end) over later as next_inbound_at,
        min(case when not is_inbound and not is_template then happened_at end) over later as next_answer_at,
        max(case when is_inbound then happened_at end) over before as last_inbound_at,
        max(case when not is_inbound and not is_template then happened_at end) over before as last_answer_at
    from placed
    window
        -- a message without a conversation is one of its own; of the same instant, what came in is first
        later as (
            partition by
                workspace_id, conversation_id, case when conversation_id is null then message_id end
            order by happened_at nulls last, is_inbound desc, message_id
            rows between 1 following and unbounded following
        ),
        before as (
            partition by
                workspace_id, conversation_id, case when conversation_id is null then message_id end
            order by happened_at nulls last, is_inbound desc, message_id
            rows between unbounded preceding and 1 preceding
        )
),
replied as (
    select
        *,
        not is_inbound and (is_sent or is_delivered) and (is_delivered or not is_failed)
        and coalesce(next_inbound_at > happened_at and next_inbound_at <= happened_at + hours(24 * $reply_days), false) as is_replied,
        is_inbound and happened_at is not null and conversation_id is not null and (
            last_inbound_at is null
            or coalesce(last_answer_at >= last_inbound_at, false)
            or happened_at > last_inbound_at + hours(24 * $reply_days)
        ) as is_burst
    from followed
)
select
    workspace_id, message_id, account_id, contact_id, campaign_id, happened_at,
    coalesce(utc_day(happened_at), stored_date) as date,
    is_inbound,
    -- a reply was read, what was read was delivered, what was delivered was sent
    is_sent or is_delivered as is_sent,
    is_delivered or is_replied as is_delivered,
    is_read or is_replied as is_read,
    is_failed and not is_delivered as is_failed,
    is_replied,
    converted_at is not null and (is_delivered or is_replied) as is_converted,
    is_burst,
    case
        when is_burst and next_answer_at <= happened_at + hours(24 * $reply_days) then seconds_between(happened_at, next_answer_at)
    end as response_seconds
from replied
