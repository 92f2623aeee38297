-- Grain: one session and content item with a view_start. Nearly all are plain: one view, and nothing before or long
-- after its start. The figures of the others are those of no single view: content/tangled_views.sql takes them apart.
-- Inputs: counted_events of [$start, $look_ahead), content_numbers.
with
figures as (
    select *, starts = 1 and first_at = started_at and last_at < started_at + hours($view_max_hours) as is_plain
    from (
        with marked as (
            select *, 1 as view_no, cast(null as varchar) as start_id
            from (
                -- include content/watched.sql
            )
        )
        -- include content/view_figures.sql
    )
    where starts > 0
)
-- include content/view_length.sql
