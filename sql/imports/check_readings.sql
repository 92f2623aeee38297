-- Grain: one line of an import file with its values parsed and the first thing wrong with it, null if nothing.
-- Inputs: raw (the lines as text), names (what each metric name means), platform_names. Parameter $now.
-- A line without a number is neither wrong nor a reading: has_value is false. Of equal lines the first one counts.
with
cleaned as (
    select
        line,
        filled(workspace_id) as workspace_id,
        lower(filled(platform)) as platform,
        filled(account_id) as account_id,
        filled(post_id) as post_id,
        filled(metric) as name,
        filled(date) as date_text,
        filled(value) as value_text,
        lower(filled(kind)) as given_kind,
        filled(read_at) as read_at_text,
        filled(metadata) as metadata
    from raw
),
parsed as (
    select
        c.*,
        n.metric, n.kind, n.scale, n.breaks,
        n.problem as name_problem,
        p.platform is not null as is_known_platform,
        case when regexp_full_match(date_text, '\d{4}-\d{2}-\d{2}') then try_cast(date_text as date) end as date,
        case
            when regexp_full_match(value_text, '[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?')
            then try_cast(value_text as double)
        end as number,
        case
            when regexp_full_match(
                read_at_text,
                '\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?( ?([Zz]|[+-]\d{2}(:?\d{2})?))?)?'
            )
            then try_cast(upper(read_at_text) as timestamptz)
        end as given_read_at
    from cleaned as c
    left join platform_names as p on p.platform = c.platform
    left join names as n
        on n.platform is not distinct from c.platform and n.name is not distinct from c.name
        and n.given_kind is not distinct from c.given_kind
        and n.level = case when c.post_id is null then 'account' else 'post' end
),
judged as (
    select
        *,
        number * scale as value,
        coalesce(
            given_read_at,
            -- the end of the measured day; a total is taken in the day's last hour, so that it closes the day
            day_start(date) + case when kind = 'series' then interval 24 hour else interval 23 hour end
        ) as read_at,
        case
            when workspace_id is null then 'workspace_id is missing'
            when not regexp_full_match(workspace_id, '[A-Za-z0-9._-]{1,64}')
            then 'workspace_id ' || quoted(workspace_id)
                || ' cannot be an id: 1 to 64 letters, digits, dots, underscores, hyphens'
            when platform is null then 'platform is missing'
            when not is_known_platform then 'unknown platform ' || quoted(platform)
            when account_id is null then 'account_id is missing'
            when not regexp_full_match(account_id, '[A-Za-z0-9._-]{1,64}')
            then 'account_id ' || quoted(account_id)
                || ' cannot be an id: 1 to 64 letters, digits, dots, underscores, hyphens'
            when not regexp_full_match(post_id, '[^\s\pC\pZ]{1,255}')
            then 'post_id ' || quoted(post_id) || ' cannot be an id: 1 to 255 printable characters, no space'
            when name is null then 'metric is missing'
            when name_problem is not null then name_problem
            when date_text is null then 'date is missing'
            when date is null then 'bad date ' || quoted(date_text) || ', not a day as YYYY-MM-DD'
            when date > utc_day($now) then 'date ' || date_text || ' lies in the future'
            -- a slip of a digit, and partitions would begin a thousand years ago
            when date < date '2000-01-01' then 'bad date ' || date_text || ', before the year 2000'
            when value_text is not null and (number is null or not isfinite(number * scale))
            then 'bad number ' || quoted(value_text)
            when read_at_text is not null and given_read_at is null
            then 'bad read_at ' || quoted(read_at_text) || ', not an instant as 2026-01-31T23:00:00Z'
            when given_read_at > $now then 'read_at ' || read_at_text || ' lies in the future'
            when given_read_at < day_start(date) then 'read_at ' || read_at_text || ' lies before the measured day'
            when metadata is not null and not is_json_object(metadata) then 'metadata is no JSON object'
        end as problem
    from parsed
),
numbers as (
    select
        line, workspace_id, platform, account_id, post_id, metric, name as source_metric, kind, date, read_at, value,
        newest_version(breaks, date) as definition_version,
        metadata
    from judged
    where problem is null and value is not null
),
repeated_keys as (
    -- few, as a rule: found by grouping, so that a window runs over them only and not over the whole file
    select workspace_id, platform, account_id, post_id, metric, date, kind = 'series' as is_series, read_at
    from numbers
    group by all
    having count(*) > 1
),
repeats as (
    select
        n.line,
        min(n.value) over same_key <> max(n.value) over same_key as is_contradicted,
        min(n.line) over same_key as first_line,
        max(n.line) over same_key as last_line,
        row_number() over (
            partition by
                n.workspace_id, n.platform, n.account_id, n.post_id, n.metric, n.source_metric, n.date,
                n.kind = 'series', n.read_at
            order by n.line
        ) as occurrence
    from numbers as n
    inner join repeated_keys as k
        on k.workspace_id = n.workspace_id and k.platform = n.platform and k.account_id = n.account_id
        and k.post_id is not distinct from n.post_id and k.metric = n.metric and k.date = n.date
        and k.is_series = (n.kind = 'series') and k.read_at = n.read_at
    window same_key as (
        partition by
            n.workspace_id, n.platform, n.account_id, n.post_id, n.metric, n.date, n.kind = 'series', n.read_at
    )
)
select
    n.*,
    case
        when r.is_contradicted
        then 'line ' || case when n.line = r.first_line then r.last_line else r.first_line end
            || ' has another value for the same account, metric and date'
    end as problem,
    true as has_value,
    coalesce(r.occurrence, 1) = 1 as is_first
from numbers as n
left join repeats as r on r.line = n.line
union all by name
select line, problem, false as has_value, true as is_first
from judged
where problem is not null or value is null
