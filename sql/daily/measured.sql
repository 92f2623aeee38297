-- Grain: one candidate value of (workspace, platform, account, post, metric) on one day and from one kind of source.
-- Inputs: insight_readings, counter_readings, posts, source_catalog, reading_cadence, metric_catalog.
-- Window: [$start, $end), for $level.
-- What was known at $as_of: later reads do not exist. A counter's earlier reading may lie $lookback_days back.
-- Levels (additivity last_value) come with the days from $lookback on, for the change against the last known one.
with
known_sources as (
    select
        platform, metric,
        max(restatement_days) as restatement_days,
        bool_or(rule = 'maximum') as keeps_maximum
    from source_catalog
    where level = $level
    group by platform, metric
),
series_reads as (
    select
        r.workspace_id, r.platform, r.account_id, r.post_id, r.metric, r.date, r.value, r.numerator, r.denominator,
        r.source, r.definition_version, r.day_timezone,
        case
            -- the largest read may be an old one; that the day is over is what the latest one tells
            when k.keeps_maximum
            then
                max(case when r.confirmed_at <= $as_of then r.confirmed_at else r.read_at end) over (
                    partition by
                        r.workspace_id, r.platform, r.account_id, r.post_id, r.metric, r.source, r.date
                )
            when r.confirmed_at <= $as_of then r.confirmed_at
            else r.read_at
        end as last_read_at,
        coalesce(k.restatement_days, 0) as restatement_days
    from insight_readings as r
    left join known_sources as k using (platform, metric)
    inner join metric_catalog as m using (metric)
    where
        r."window" = 'P1D'
        and (r.post_id is null) = ($level = 'account')
        and r.read_at <= $as_of
        and r.date < $end
        and r.date >= case when m.additivity = 'last_value' then $lookback else $start end
    qualify row_number() over (
        partition by r.workspace_id, r.platform, r.account_id, r.post_id, r.metric, r.source, r.date
        order by
            case when k.keeps_maximum then r.value end desc nulls last,
            r.read_at desc,
            r.source_metric
    ) = 1
),
closing_reads as (
    select
        r.workspace_id, r.platform, r.account_id, r.post_id, r.metric, r.date, r.value, r.kind, r.source,
        r.definition_version, r.day_timezone, r.observed_at
    from counter_readings as r
    where
        (r.post_id is null) = ($level = 'account')
        and r.observed_at <= $as_of
        and r.date >= $lookback
        and r.date < $end
    qualify row_number() over (
        partition by r.workspace_id, r.platform, r.account_id, r.post_id, r.metric, r.date
        order by r.source = 'fetched' desc, r.observed_at desc, r.source_metric
    ) = 1
),
neighbours as (
    select
        *,
        -- in a range every day looks back exactly as far as it would on its own
        days_between(lag(date) over days, date) <= $lookback_days as has_earlier,
        lag(value) over days as lag_value,
        lag(date) over days as lag_date,
        lag(observed_at) over days as lag_observed_at,
        lag(definition_version) over days as lag_version
    from closing_reads
    window days as (partition by workspace_id, platform, account_id, post_id, metric order by date)
),
counter_days as (
    select
        * exclude (has_earlier, lag_value, lag_date, lag_observed_at, lag_version),
        case when has_earlier then lag_value end as earlier_value,
        case when has_earlier then lag_date end as earlier_date,
        case when has_earlier then lag_observed_at end as earlier_observed_at,
        case when has_earlier then lag_version end as earlier_version
    from neighbours
),
aged as (
    -- a post whose age nobody knows is taken for a new one
    select
        c.*,
        utc_day(p.published_at) = c.date as is_first_day,
        greatest(0, coalesce(hours_between(p.published_at, day_start(c.date) + interval 1 day), 0)) as age_hours
    from counter_days as c
    left join posts as p
        on p.workspace_id = c.workspace_id and p.platform = c.platform
        and p.account_id = c.account_id and p.post_id = c.post_id
),
counters as (
    select
        c.*,
        c.observed_at >= day_start(c.date) + interval 1 day - hours(coalesce(k.every_hours, 1)) as closes,
        c.earlier_observed_at >= day_start(c.date) - hours(coalesce(k.every_hours, 1)) as opens,
        c.earlier_version is distinct from c.definition_version and c.earlier_version is not null as is_redefined
    from aged as c
    left join reading_cadence as k
        on k.platform = c.platform and k.level = $level
        and c.age_hours >= k.from_hours and (k.to_hours is null or c.age_hours < k.to_hours)
    inner join metric_catalog as m on m.metric = c.metric
    where c.date >= $start or m.additivity = 'last_value'
)
select
    workspace_id, platform, account_id, post_id, metric, date,
    value,
    cast(null as double) as lifetime_value,
    numerator,
    denominator,
    case when value = 0 then 'zero' else 'value' end as state,
    cast(null as varchar) as reason,
    case when source = 'import' then 'import' else 'series' end as source,
    case when source = 'import' then 3 else 1 end as precedence,
    -- read after the day was over in the zone that the platform counts in (an import's reads close its days)
    last_read_at >= timezone(day_timezone, cast(date as timestamp) + interval 1 day) as is_complete,
    plus_days(date, restatement_days) > utc_day($now) as is_provisional,
    definition_version,
    1 as readings,
    1 as readings_expected,
    cast(null as bigint) as days_spanned,
    last_read_at,
    day_timezone
from series_reads
union all by name
select
    workspace_id, platform, account_id, post_id, metric, date,
    case
        when kind in ('gauge', 'unique_counter') then value
        when earlier_date is null and is_first_day then value
        when is_redefined then null
        else value - earlier_value
    end as value,
    case when kind <> 'gauge' then value end as lifetime_value,
    null as numerator,
    null as denominator,
    case
        when kind in ('gauge', 'unique_counter') then case when value = 0 then 'zero' else 'value' end
        when earlier_date is null and is_first_day then case when value = 0 then 'zero' else 'value' end
        when earlier_date is null or is_redefined then 'unknown'
        when value = earlier_value then 'zero'
        else 'value'
    end as state,
    case
        when kind in ('gauge', 'unique_counter') then null
        when earlier_date is null and not coalesce(is_first_day, false) then 'no earlier reading to compare with'
        when is_redefined then 'the platform changed what it counts'
        when date - earlier_date > 1 then 'covers ' || (date - earlier_date) || ' days: no reading in between'
    end as reason,
    case when source = 'import' then 'import' when kind = 'gauge' then 'gauge' else 'counter' end as source,
    case when source = 'import' then 3 else 2 end as precedence,
    case
        when kind in ('gauge', 'unique_counter') then closes
        else closes and coalesce(opens or (earlier_date is null and is_first_day), false)
    end as is_complete,
    false as is_provisional,
    definition_version,
    case
        when kind in ('gauge', 'unique_counter') then 1
        when earlier_date is not null or is_first_day then 2
        else 1
    end as readings,
    case when kind in ('gauge', 'unique_counter') then 1 else 2 end as readings_expected,
    case
        when kind in ('gauge', 'unique_counter') then null
        when earlier_date is not null then date - earlier_date
        when is_first_day then 1
    end as days_spanned,
    observed_at as last_read_at,
    day_timezone
from counters
