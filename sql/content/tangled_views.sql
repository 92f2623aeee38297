-- Grain: one view of a session and content that session_views calls not plain: one view_start with what was reported
-- from it to the next one, at most $view_max_hours later. Inputs: session_views, counted_events of [$start, $look_ahead),
-- content_numbers.
with
tangled as (
    select
        w.*,
        case when w.event_type = 'view_start' then w.event_id end as start_id,
        count(*) filter (where w.event_type = 'view_start') over told as view_no,
        max(w.event_ts) filter (where w.event_type = 'view_start') over told as view_started_at
    from (
        -- include content/watched.sql
    ) as w
    inner join session_views as s
        on s.workspace_id = w.workspace_id and s.session_id = w.session_id and s.content_id = w.content_id
    where not s.is_plain
    window told as (
        partition by w.workspace_id, w.session_id, w.content_id
        order by w.event_ts, w.event_type <> 'view_start', w.event_id
        rows between unbounded preceding and current row
    )
),
figures as (
    select *, false as is_plain
    from (
        with marked as (
            select * from tangled where view_no > 0 and event_ts < view_started_at + hours($view_max_hours)
        )
        -- include content/view_figures.sql
    )
)
-- include content/view_length.sql
