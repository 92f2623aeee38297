-- The mean engagement score of a workspace's contacts that had a delivered message in the last $score_days days.
-- Grain: one known day of a workspace. From the relations `messages`, `known_days` and `window_days`.
-- A contact's figures change on the days of its messages, and again when these are $score_days old.
with
shifts as (
    -- what a contact has at the start of the window is one change, its messages that grow too old in it are others
    select
        workspace_id, contact_id, day,
        sum(delivered) as delivered, sum(read) as read, sum(replied) as replied, max(inbound_on) as inbound_on
    from (
        select
            workspace_id, contact_id,
            greatest(date, $start) as day,
            count(*) filter (where not is_inbound and is_delivered) as delivered,
            count(*) filter (where not is_inbound and is_read) as read,
            count(*) filter (where is_replied) as replied,
            max(case when is_inbound then date end) as inbound_on
        from messages
        where contact_id is not null and date > plus_days($start, -$score_days) and date < $end
        group by all
        union all
        select
            workspace_id, contact_id,
            plus_days(date, $score_days) as day,
            -count(*) filter (where not is_inbound and is_delivered) as delivered,
            -count(*) filter (where not is_inbound and is_read) as read,
            -count(*) filter (where is_replied) as replied,
            null as inbound_on
        from messages
        where
            contact_id is not null
            and date > plus_days($start, -$score_days) and date < plus_days($end, -$score_days)
        group by all
    )
    group by workspace_id, contact_id, day
),
spans as (
    select
        workspace_id, contact_id, day,
        sum(delivered) over so_far as delivered,
        sum(read) over so_far as read,
        sum(replied) over so_far as replied,
        max(inbound_on) over so_far as inbound_on,
        lead(day) over (partition by workspace_id, contact_id order by day) as next_day
    from shifts
    window so_far as (
        partition by workspace_id, contact_id order by day rows between unbounded preceding and current row
    )
),
contact_rates as (
    select
        w.date, s.workspace_id,
        s.read / s.delivered as read_rate,
        s.replied / s.delivered as reply_rate,
        case when days_between(s.inbound_on, w.date) < $score_days then days_between(s.inbound_on, w.date) end
            as days_since_inbound
    from spans as s
    inner join window_days as w on w.date >= s.day and w.date < coalesce(s.next_day, $end)
    where s.delivered > 0
),
scores as (
    -- include messaging/contact_scores.sql
),
means as (
    select date, workspace_id, stable_sum(engagement_score) as score, count(*) as contacts
    from scores
    group by date, workspace_id
)
select
    k.date, k.workspace_id, k.entity_id,
    'contact_engagement_score' as metric,
    'messages' as topic,
    true as is_level,
    false as is_idle,
    m.score / m.contacts as value,
    m.score as numerator,
    cast(coalesce(m.contacts, 0) as double) as denominator
from known_days as k
left join means as m on m.date = k.date and m.workspace_id = k.workspace_id
