-- daily_metrics, entity_type 'account'. Grain: one metric of one account on one day in [$start, $end).
-- Inputs: insight_readings, counter_readings, collection_status, posts, daily_metrics (posts of the same days).
-- A value comes from the account's own series, counter or import, else it is the sum of its posts; where there
-- is none, the state of the collection says why. A level or total that nobody read on a day is stale; else no row
-- means it was not asked for. What the application knows of an account's messages is platform 'app'.
with
measured as (
    -- include daily/measured.sql
),
own as (
    -- include daily/best.sql
),
partial_sums as (
    -- where posts are only a part of what the account did, their sum is not its figure
    select distinct platform, metric from source_catalog where level = 'post' and not adds_up
),
post_sums as (
    select
        d.date, d.workspace_id, d.platform, d.account_id,
        cast(null as varchar) as post_id,
        d.metric,
        stable_sum(d.value) as value,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        case when stable_sum(d.value) = 0 then 'zero' else 'value' end as state,
        'sum of its posts' as reason,
        'posts' as source,
        bool_and(d.is_complete) and count(*) = count(d.value) as is_complete,
        bool_or(d.is_provisional) as is_provisional,
        max(d.definition_version) as definition_version,
        sum(d.readings) as readings,
        sum(d.readings_expected) as readings_expected,
        max(d.days_spanned) as days_spanned,
        count(d.value) as entities_present,
        count(*) as entities_expected,
        max(d.last_read_at) as last_read_at,
        min(d.day_timezone) as day_timezone
    from daily_metrics as d
    inner join metric_catalog as m using (metric)
    left join partial_sums as n using (platform, metric)
    where
        d.entity_type = 'post' and d.date >= $start and d.date < $end
        and m.additivity = 'additive' and not m.derived and list_contains(m.levels, 'account')
        and n.metric is null
    group by all
    having count(d.value) > 0
),
attempts as (
    select
        date, workspace_id, platform, account_id,
        cast(null as varchar) as post_id,
        metric, state, reason,
        'none' as source,
        false as is_complete,
        true as is_provisional,
        1 as definition_version,
        0 as readings,
        1 as readings_expected,
        last_read_at,
        'UTC' as day_timezone
    from collection_status
    where
        level = 'account' and "window" = 'P1D' and date >= $start and date < $end and last_read_at <= $as_of
        and state not in ('value', 'zero')
    -- of several collections that gave nothing, the one that failed has the reason worth telling
    qualify row_number() over (
        partition by workspace_id, platform, account_id, metric, date
        order by state = 'failed' desc, state = 'not_permitted' desc, state = 'unknown' desc, collection
    ) = 1
),
candidates as (
    select *, 1 as rank from own
    union all by name
    select *, 2 as rank from post_sums
    union all by name
    select *, 3 as rank from attempts
),
chosen as (
    select *
    from candidates
    qualify row_number() over (
        partition by workspace_id, platform, account_id, metric, date order by value is null, rank
    ) = 1
),
follower_growth as (
    select
        date, workspace_id, platform, account_id, post_id,
        'follower_growth' as metric,
        value - earlier_value as value,
        case
            when value is null or earlier_value is null then 'unknown'
            when value = earlier_value then 'zero'
            else 'value'
        end as state,
        case
            when value is null then reason
            when earlier_value is null then 'no earlier reading to compare with'
            when date - earlier_date > 1 then 'covers ' || (date - earlier_date) || ' days: no reading in between'
        end as reason,
        'derived' as source,
        coalesce(is_complete and date - earlier_date = 1, false) as is_complete,
        is_provisional, definition_version,
        (value is not null)::bigint + (earlier_value is not null)::bigint as readings,
        2 as readings_expected,
        date - earlier_date as days_spanned,
        last_read_at, day_timezone
    from chosen
    where metric = 'followers'
),
listings as (
    -- days on which the account was read at all: only then is "no post" a zero; the last look of the day may have failed
    select date, workspace_id, platform, account_id, max(last_value_at) as last_read_at
    from collection_status
    where
        date >= $start and date < $end and collection = 'counters' and last_value_at is not null
        -- message templates have no counters and no date of publication: their number says nothing of a day
        and platform in (select platform from source_catalog where level = 'post' and kind <> 'series')
    group by all
),
publications as (
    select utc_day(published_at) as date, workspace_id, platform, account_id, count(*) as published,
        max(last_seen_at) as last_read_at
    from posts
    where published_at >= day_start($start) and published_at < day_start($end)
    group by all
),
posts_published as (
    select
        date, workspace_id, platform, account_id,
        cast(null as varchar) as post_id,
        'posts_published' as metric,
        cast(coalesce(published, 0) as double) as value,
        case when coalesce(published, 0) = 0 then 'zero' else 'value' end as state,
        'posts' as source,
        l.date is not null and l.last_read_at >= day_start(date) + interval 23 hour and date < utc_day($now)
            as is_complete,
        false as is_provisional,
        1 as definition_version,
        1 as readings,
        1 as readings_expected,
        coalesce(l.last_read_at, p.last_read_at) as last_read_at,
        'UTC' as day_timezone
    from listings as l
    full join publications as p using (date, workspace_id, platform, account_id)
),
base as (
    select * from chosen
    union all by name
    select * from follower_growth
    union all by name
    select * from posts_published
),
derived as (
    -- include daily/derived.sql
),
stale as (
    -- include daily/stale.sql
),
missed as (
    select s.*
    from stale as s
    anti join chosen as c
        on c.date = s.date and c.workspace_id = s.workspace_id and c.platform = s.platform
        and c.account_id = s.account_id and c.metric = s.metric
),
post_ratios as (
    -- where the denominator is a sum of posts, only posts that have both parts belong in the rate: likes of posts
    -- without a view count over the views of others is a rate of nothing
    select
        d.date, d.workspace_id, d.platform, d.account_id,
        d.metric,
        stable_sum(case when d.denominator is not null then d.numerator end) as numerator,
        stable_sum(case when d.numerator is not null then d.denominator end) as denominator,
        count(*) filter (where d.numerator is not null and d.denominator is not null) as posts
    from daily_metrics as d
    inner join metric_catalog as m using (metric)
    where
        d.entity_type = 'post' and d.date >= $start and d.date < $end
        and m.derived and m.additivity = 'ratio' and list_contains(m.levels, 'account')
    group by all
),
over_posts as (
    select
        u.date, u.workspace_id, u.platform, u.account_id, m.metric,
        p.numerator,
        p.denominator,
        coalesce(p.posts, 0) as posts
    from base as u
    inner join metric_catalog as m on m.denominator = u.metric and m.derived and m.additivity = 'ratio'
    left join post_ratios as p
        on p.date = u.date and p.workspace_id = u.workspace_id and p.platform = u.platform
        and p.account_id = u.account_id and p.metric = m.metric
    where u.source = 'posts'
),
derived_rows as (
    select
        d.* exclude (value, numerator, denominator, state, reason),
        case when o.posts is null then d.value else o.numerator / nullif(o.denominator, 0) end as value,
        case when o.posts is null then d.numerator else o.numerator end as numerator,
        case when o.posts is null then d.denominator else o.denominator end as denominator,
        case
            when o.posts is null then d.state
            when o.posts = 0 then 'no_components'
            when o.denominator = 0 then 'insufficient_data'
            when o.numerator = 0 then 'zero'
            else 'value'
        end as state,
        case when o.posts is null then d.reason else 'over the ' || o.posts || ' posts that have both' end as reason
    from derived as d
    left join over_posts as o using (date, workspace_id, platform, account_id, metric)
),
account_rows as (
    select
        date, workspace_id, platform,
        'account' as entity_type,
        account_id as entity_id,
        account_id, metric, value, lifetime_value, numerator, denominator, state, reason, source,
        is_complete, is_provisional, definition_version, readings, readings_expected, days_spanned,
        entities_present, entities_expected, last_read_at, day_timezone,
        false as approximate
    from (
        select * from base
        union all by name
        select *, 'derived' as source from derived_rows
        union all by name
        select * from missed
    )
),
of_messages as (
    -- include daily/account_app.sql
)
select * from account_rows
union all by name
select * from of_messages
order by workspace_id, platform, entity_id, metric
