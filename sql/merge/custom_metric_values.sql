-- custom_metric_values: what was computed anew takes the place of the same version's values of the same periods, parts
-- of a breakdown that are gone included; values of other versions stay, and are no longer the current ones.
-- existing, incoming: rows of the table. Grain: one row per definition, version, period and part.
with computed as (
    select distinct workspace_id, definition_id, version, grain, period_start from incoming
),
asked as (
    select distinct workspace_id, definition_id, grain, period_start from incoming
),
kept as (
    select existing.* replace (existing.is_current and asked.definition_id is null as is_current)
    from existing
    left join asked using (workspace_id, definition_id, grain, period_start)
    where not exists (
        from computed
        where computed.workspace_id = existing.workspace_id
            and computed.definition_id = existing.definition_id
            and computed.version = existing.version
            and computed.grain = existing.grain
            and computed.period_start = existing.period_start
    )
),
-- what comes out as it was keeps its stamps: nothing is written for it
unchanged as (
    select incoming.* replace (
        coalesce(existing.computed_at, incoming.computed_at) as computed_at,
        case when existing.computed_at is null then incoming.run_id else existing.run_id end as run_id
    )
    from incoming
    left join existing
        on incoming.workspace_id = existing.workspace_id
        and incoming.definition_id = existing.definition_id
        and incoming.definition_name = existing.definition_name
        and incoming.version = existing.version
        and incoming.content_hash = existing.content_hash
        and incoming.grain = existing.grain
        and incoming.period_start = existing.period_start
        and incoming.dimensions = existing.dimensions
        and incoming.value is not distinct from existing.value
        and incoming.state = existing.state
        and incoming.numerator is not distinct from existing.numerator
        and incoming.denominator is not distinct from existing.denominator
        and incoming.is_complete = existing.is_complete
        and incoming.is_current = existing.is_current
        and incoming.people is not distinct from existing.people
        and incoming.generation = existing.generation
)
select * from kept
union all by name
select * from unchanged
order by workspace_id, definition_name, version, dimensions, grain, period_start
