-- Grain: one rate of one workspace, from the relation `trials` (workspace_id, rate, successes, trials per content
-- item): its mean, and the number of trials m that the mean counts for against an item's own (method of moments: what
-- the rates vary beyond chance). Few items, or no variation beyond chance: the mean counts for 100 trials.
with
means as (
    select workspace_id, rate, sum(successes) / sum(trials) as mean, count(*) as items, sum(trials) as all_trials
    from trials
    where trials > 0
    group by workspace_id, rate
),
variances as (
    select
        t.workspace_id, t.rate, any_value(m.mean) as mean, any_value(m.items) as items,
        sum(t.trials * pow(t.successes / t.trials - m.mean, 2)) as weighted_squares,
        any_value(m.all_trials) - sum(t.trials * t.trials) / any_value(m.all_trials) as scale
    from trials as t
    inner join means as m using (workspace_id, rate)
    where t.trials > 0
    group by t.workspace_id, t.rate
),
between_items as (
    select
        *,
        (weighted_squares - (items - 1) * mean * greatest(1 - mean, 0)) / nullif(scale, 0) as variance
    from variances
)
select
    workspace_id, rate, mean,
    case
        when items >= 10 and variance > 0 then greatest(1, least(10000, mean * greatest(1 - mean, 0) / variance - 1))
        else 100
    end as m
from between_items
