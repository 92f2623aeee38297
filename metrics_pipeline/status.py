"""The state of every account: what the status command shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from metrics_pipeline.catalog.relations import catalog_relations
from metrics_pipeline.control.accounts import AccountRecord, list_accounts
from metrics_pipeline.control.token_refresh import valid_until
from metrics_pipeline.pipeline import Pipeline

# One missed look is a hiccup, three in a row are none any more.
LOOKS_BEFORE_STALE = 3


@dataclass(frozen=True)
class AccountState:
    """One account: what the control database says, and what its last collections gave."""

    account: AccountRecord
    last_counters_at: datetime | None
    last_insights_at: datetime | None
    days_with_value: int
    days_asked: int
    metrics_missing: int
    is_stale: bool
    token_valid_until: datetime | None

    def shown(self) -> dict[str, object]:
        return {
            "workspace": self.account.workspace_id,
            "account": self.account.account_id,
            "platform": self.account.platform,
            "status": self.account.status + (" (stale)" if self.is_stale else ""),
            "token_until": self.token_valid_until,
            "last_counters": self.last_counters_at,
            "last_insights": self.last_insights_at,
            "days_complete": f"{self.days_with_value} of {self.days_asked}",
            "metrics_missing": self.metrics_missing,
            "reason": self.account.status_reason,
        }


def account_states(pipeline: Pipeline, days: int) -> list[AccountState]:
    """The state of every account that is not removed, over the last `days` days."""
    now = pipeline.settings.clock.now()
    parameters = {"since": (now - timedelta(days=days)).date()}
    rows = pipeline.engine.query("collection/account_states.sql", parameters, catalog_relations(pipeline.catalog))
    by_account = {(r["workspace_id"], r["account_id"]): r for r in rows.to_pylist()}
    tokens = valid_until(pipeline.control)
    states = []
    for account in list_accounts(pipeline.control):
        row = by_account.get((account.workspace_id, account.account_id), {})
        last_counters = row.get("last_counters_at")
        spec = pipeline.catalog.platforms.get(account.platform)
        hours = spec.cadence_under(pipeline.settings.cadence).account_hours if spec is not None else 1
        stale_after = timedelta(hours=LOOKS_BEFORE_STALE * hours)
        states.append(
            AccountState(
                account,
                last_counters,
                row.get("last_insights_at"),
                row.get("days_with_value", 0),
                row.get("days_asked", 0),
                row.get("metrics_missing", 0),
                is_stale=account.status == "active" and (last_counters is None or now - last_counters > stale_after),
                token_valid_until=tokens.get((account.workspace_id, account.account_id)),
            )
        )
    return states


def problem_lines(pipeline: Pipeline, days: int) -> list[str]:
    """One line per account, state and reason that somebody has to look at."""
    since = (pipeline.settings.clock.now() - timedelta(days=days)).date()
    return [
        f"{r['workspace_id']}/{r['account_id']} {r['collection']}: {r['state']} since {r['first_day']}: "
        f"{r['reason']} ({r['metrics']})"
        for r in pipeline.engine.query(
            "collection/problems.sql", {"since": since}, catalog_relations(pipeline.catalog)
        ).to_pylist()
    ]


def failing_jobs(pipeline: Pipeline, days: int) -> list[str]:
    """One line per job whose last run failed, within the last days."""
    from metrics_pipeline.automation.dead_runs import close_dead
    from metrics_pipeline.control.job_runs import failing_runs

    close_dead(pipeline)
    since = pipeline.settings.clock.now() - timedelta(days=days)
    return [
        f"job {run.title} ({run.requested_by}) failed at {run.ended_at:%Y-%m-%d %H:%M} UTC: {run.error or 'no reason'} "
        f"(run {run.run_id})"
        for run in failing_runs(pipeline.control, since)
    ]
