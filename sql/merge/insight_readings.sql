-- insight_readings after new reads of some measured days. A row is a run of equal reads: read_at the first,
-- confirmed_at the last of them. A read may come again and a run may be overtaken: overlapping runs leave no
-- duplicate and what was known at the instant of any read stays readable. A read that comes after several later
-- ones and contradicts them splits their run; what lay inside the run is not kept. Each import
-- is a series of reads of its own: taking one back must not take a row that another one brought too.
with reads as (
    select * exclude (confirmed_at), 0 as arrival from existing
    union all by name
    select * exclude (confirmed_at, read_at), confirmed_at as read_at, 0 as arrival from existing
    where confirmed_at > read_at
    union all by name
    select * exclude (confirmed_at), 1 as arrival from incoming
),
distinct_reads as (
    select * exclude (arrival)
    from reads
    qualify row_number() over (
        partition by workspace_id, platform, account_id, post_id, metric, source_metric, date, "window", source, read_at
        order by arrival desc
    ) = 1
),
changes as (
    select
        *,
        case
            when value is distinct from lag(value) over series
                or numerator is distinct from lag(numerator) over series
                or denominator is distinct from lag(denominator) over series
                or definition_version is distinct from lag(definition_version) over series
                or row_number() over series = 1
            then 1
            else 0
        end as is_change
    from distinct_reads
    window series as (
        partition by
            workspace_id, platform, account_id, post_id, metric, source_metric, date, "window", source, import_id
        order by read_at
    )
),
numbered as (
    select
        *,
        sum(is_change) over (
            partition by
                workspace_id, platform, account_id, post_id, metric, source_metric, date, "window", source, import_id
            order by read_at
        ) as run_number
    from changes
),
runs as (
    select
        *,
        max(read_at) over (
            partition by
                workspace_id, platform, account_id, post_id, metric, source_metric, date, "window", source, import_id,
                run_number
        ) as confirmed_at
    from numbered
)
select * exclude (is_change, run_number)
from runs
where is_change = 1
order by workspace_id, account_id, post_id, metric, read_at
