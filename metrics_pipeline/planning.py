"""The plan of a day for every connected platform: calls, units and money beside what limits and budgets allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.collection.meter import Budgets
from metrics_pipeline.collection.plan import DayCost, day_cost
from metrics_pipeline.control.accounts import list_accounts
from metrics_pipeline.control.holds import HoldRecord, current_holds
from metrics_pipeline.control.usage import used
from metrics_pipeline.lake.session import Parameter
from metrics_pipeline.pipeline import Pipeline

RATE_DAYS = 30  # how far back an account's posts tell how much it publishes


@dataclass(frozen=True)
class PlatformPlan:
    """One platform's day.

    accounts_assumed of the accounts have not been looked at yet: their posts are assumed. used_today: what the
    platform's calls have used since its day of quota began, by item.
    """

    spec: PlatformSpec
    accounts: int
    accounts_assumed: int
    cost: DayCost
    used_today: Mapping[str, float]
    warnings: list[str]

    def shown(self) -> dict[str, object]:
        return {
            "platform": self.spec.platform,
            "accounts": self.accounts,
            "calls_a_day": round(self.cost.total_calls),
            "units_a_day": round(self.cost.units) if self.cost.units else None,
            "usd_a_day": round(self.cost.usd, 2) if self.cost.usd else None,
            "busiest_hour": round(self.cost.busiest_hour),
            "calls_today": round(self.used_today.get("calls", 0)),
            "units_today": round(self.used_today["units"]) if "units" in self.used_today else None,
            "usd_today": round(self.used_today["usd"], 2) if "usd" in self.used_today else None,
        }


def plan_day(pipeline: Pipeline, posts_per_day: float = 1.0) -> list[PlatformPlan]:
    """The plan of every platform that has an account.

    Args:
        posts_per_day: how much an account publishes of which nothing is known yet.
    """
    now = pipeline.settings.clock.now()
    by_platform: dict[str, list[tuple[str, str]]] = {}
    for account in list_accounts(pipeline.control):
        if account.status != "disabled" and account.platform in pipeline.catalog.platforms:
            by_platform.setdefault(account.platform, []).append((account.workspace_id, account.account_id))
    specs = [pipeline.catalog.platforms[name] for name in sorted(by_platform)]
    rates = _known_rates(pipeline, now)
    return [_plan(pipeline, spec, by_platform[spec.platform], rates, posts_per_day, now) for spec in specs]


def hold_lines(pipeline: Pipeline) -> list[str]:
    """One line for every platform or account that asked to be left alone."""
    return [_hold_line(hold) for hold in current_holds(pipeline.control, pipeline.settings.clock.now())]


def _hold_line(hold: HoldRecord) -> str:
    whose = "/".join(filter(None, hold.account)) or "every account"
    return f"{hold.platform}, {whose}: left alone until {hold.until:%Y-%m-%d %H:%M} UTC: {hold.reason}"


def _known_rates(pipeline: Pipeline, now: datetime) -> dict[tuple[str, str, str], float]:
    """Posts a day of every account of which any post is known."""
    parameters: dict[str, Parameter] = {"now": now, "since": now - timedelta(days=RATE_DAYS), "days": RATE_DAYS}
    rows = pipeline.engine.query("collection/posts_per_day.sql", parameters).to_pylist()
    return {(r["platform"], r["workspace_id"], r["account_id"]): r["posts_per_day"] for r in rows}


def _plan(
    pipeline: Pipeline,
    spec: PlatformSpec,
    accounts: list[tuple[str, str]],
    rates: Mapping[tuple[str, str, str], float],
    assumed_rate: float,
    now: datetime,
) -> PlatformPlan:
    settings = pipeline.settings
    total, assumed = DayCost(), 0
    cost_of = cache(lambda rate: day_cost(spec, settings, rate, now))
    for account in accounts:
        known = rates.get((spec.platform, *account))
        assumed += known is None
        total.add(cost_of(assumed_rate if known is None else known))
    today = now.astimezone(ZoneInfo(spec.quota_timezone)).date()
    spent = used(pipeline.control, spec.platform, today)
    return PlatformPlan(spec, len(accounts), assumed, total, spent, _warnings(pipeline, spec, len(accounts), total))


def _warnings(pipeline: Pipeline, spec: PlatformSpec, accounts: int, cost: DayCost) -> list[str]:
    """Where the plan is more than a limit or a budget allows: what the pipeline stops at, and what it may run into."""
    budgets = Budgets.of(spec, pipeline.settings)
    lines = []
    planned = {"calls": cost.total_calls, "units": cost.units, "usd": cost.usd}
    for unit, most in budgets.app.items():
        if planned[unit] > most:
            lines.append(f"{spec.platform}: {planned[unit]:,.6g} {unit} a day planned, collecting stops at {most:,.6g}")
    for endpoint, calls in cost.calls.items():
        if budgets.per_endpoint is not None and calls > budgets.per_endpoint:
            lines.append(
                f"{spec.platform}: {calls:,.0f} calls a day of {endpoint} planned, collecting stops at "
                f"{budgets.per_endpoint:,.0f}"
            )
    if budgets.per_account is not None and cost.total_calls / accounts > budgets.per_account:
        lines.append(
            f"{spec.platform}: {cost.total_calls / accounts:,.0f} calls a day and account planned, collecting stops "
            f"at {budgets.per_account:,.0f}"
        )
    for limit in spec.limits:
        if limit.enforced or limit.every != "day" or not limit.applies(pipeline.settings):
            continue
        most_called = max(cost.calls.values(), default=0.0) if limit.per_endpoint else planned[limit.unit]
        if most_called > limit.amount:
            where = " of one endpoint" if limit.per_endpoint else ""
            lines.append(
                f"{spec.platform}: {most_called:,.0f} {limit.unit} a day{where} planned, {limit.note} allows "
                f"{limit.amount:,.0f}"
            )
    return lines
