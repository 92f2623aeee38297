"""Collects one platform's accounts for a window: each account on its own, none can sink the others."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine as ControlEngine

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.collection.account_history import status_facts
from metrics_pipeline.collection.account_run import AccountRun, Slot, Turn
from metrics_pipeline.collection.known_posts import KnownPosts
from metrics_pipeline.collection.meter import BUDGET_SPENT, Budgets, DailyMeter, Paid
from metrics_pipeline.collection.request import CollectionRequest
from metrics_pipeline.collection.rows import batch
from metrics_pipeline.collection.slots import MEMORY_DAYS, AccountKey, SlotPlanner
from metrics_pipeline.collection.store import store_batch
from metrics_pipeline.collection.summary import AccountReport, CollectionSummary
from metrics_pipeline.collection.tokens import TokenKeeper
from metrics_pipeline.control.accounts import AccountRecord, list_accounts
from metrics_pipeline.control.holds import EVERY_ACCOUNT, HoldRecord, current_holds, keep_hold
from metrics_pipeline.errors import UserError
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.session import Parameter
from metrics_pipeline.platforms.contract import AccountResult, Adapter
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.metering import Meter, Unmetered
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

log = logging.getLogger("metrics_pipeline.collection")


@dataclass(frozen=True)
class Collector:
    """Everything a collection needs; one instance serves one platform."""

    spec: PlatformSpec
    settings: Settings
    engine: Engine
    control: ControlEngine
    tokens: TokenKeeper
    build_adapter: Callable[[Meter], Adapter]
    can_observe_past: bool

    def run(self, request: CollectionRequest) -> CollectionSummary:
        """Collect, store, and say what happened.

        Raises:
            PastHourError: counters of an hour that cannot be observed were asked for.
        """
        started = time.monotonic()
        now = self.settings.clock.now()
        accounts = self._accounts(request)
        slots, accounts = self._slots(request, accounts, now)
        due = [a for a in accounts if slots[_key(a)]]
        turns = asyncio.run(self._collect(request, due, slots, now)) if due else []
        summary = CollectionSummary(self.spec.platform, request.collection, _merge_turns(turns))
        summary.not_due = len(accounts) - len(due)
        changes = status_facts(self.control, self.spec.platform)
        summary.rows_gained = store_batch(
            self.engine, self.spec.platform, request.collection, batch(request.collection, turns), changes
        )
        summary.seconds = time.monotonic() - started
        summary.lag_minutes = max(0.0, (now - request.window.end).total_seconds() / 60)
        for report in summary.accounts:
            log.log(logging.INFO if report.is_ok else logging.WARNING, "%s", report.line())
        log.info("%s", summary.line())
        return summary

    def _accounts(self, request: CollectionRequest) -> list[AccountRecord]:
        records = [a for a in list_accounts(self.control, platform=self.spec.platform) if a.status != "disabled"]
        known = {a.account_id for a in records}
        unknown = sorted(set(request.accounts) - known)
        if unknown:
            raise UserError(f"No {self.spec.label} account to collect is called {', '.join(unknown)}.")
        return [
            a
            for a in records
            if (not request.accounts or a.account_id in request.accounts)
            and (not request.workspaces or a.workspace_id in request.workspaces)
        ]

    async def _collect(
        self,
        request: CollectionRequest,
        records: list[AccountRecord],
        slots: Mapping[AccountKey, list[Slot]],
        now: datetime,
    ) -> list[Turn]:
        meter = self._meter(records, now)
        adapter = self.build_adapter(meter or Unmetered())
        known = self._known_posts(slots)
        holds = {hold.account: hold for hold in current_holds(self.control, now, self.spec.platform)}
        workspaces = asyncio.Semaphore(self.settings.parallel_workspaces)
        by_workspace: dict[str, list[AccountRecord]] = {}
        for record in records:
            by_workspace.setdefault(record.workspace_id, []).append(record)

        async def collect_account(record: AccountRecord) -> list[Turn]:
            key = _key(record)
            hold = holds.get(EVERY_ACCOUNT) or holds.get(key)
            run = AccountRun(self.spec, self.control, self.tokens, record, known.get(key, KnownPosts()), now, hold)
            turns = await run.take(adapter, request, slots[key])
            if run.lost is not None and hold is None:
                self._remember(run.lost, key, now)
            return turns

        async def collect_workspace(members: list[AccountRecord]) -> list[list[Turn]]:
            async with workspaces:
                return await asyncio.gather(*(collect_account(member) for member in members))

        try:
            gathered = await asyncio.gather(*(collect_workspace(m) for m in by_workspace.values()))
        finally:
            await adapter.aclose()
            if meter is not None:
                meter.close()
        return [turn for workspace in gathered for account in workspace for turn in account]

    def _meter(self, records: list[AccountRecord], now: datetime) -> DailyMeter | None:
        """Counts the run's calls; None for a simulated platform, whose answers about the past cost nothing today."""
        if self.can_observe_past and self.spec.platform not in self.settings.budgets:
            return None
        budgets = Budgets.of(self.spec, self.settings, documented=not self.can_observe_past)
        paid: list[Paid] = []
        if any(call.once_a_day for call in self.spec.calls):
            rows = self.engine.query(
                "collection/read_today.sql", {"platform": self.spec.platform, "today": now.date()}
            ).to_pylist()
            own = {_key(record): record.external_id for record in records}
            for row in rows:
                key = (row["workspace_id"], row["account_id"])
                paid.append((*key, row["post_id"] or own.get(key, "")))
        return DailyMeter(self.spec, self.settings, self.control, budgets, paid)

    def _remember(self, error: PlatformError, account: AccountKey, now: datetime) -> None:
        """Keep a wait that outlasts the run, so that the next run does not ask in vain. A budget knows by itself."""
        seconds = error.wait_seconds
        is_long = seconds is not None and seconds > self.settings.http_max_wait_seconds
        if error.act is not Act.WAIT or error.code == BUDGET_SPENT or not is_long or seconds is None:
            return
        whose = EVERY_ACCOUNT if error.scope == "app" else account
        until = now + timedelta(seconds=seconds)
        keep_hold(self.control, HoldRecord(self.spec.platform, whose, until, str(error)))

    def _slots(
        self, request: CollectionRequest, records: list[AccountRecord], now: datetime
    ) -> tuple[dict[AccountKey, list[Slot]], list[AccountRecord]]:
        """What to ask of each account and when; and the accounts, those first that have waited longest."""
        windows = request.slots(now, can_observe_past=self.can_observe_past, platform=self.spec.label)
        last = self._last_whole_reads(request, windows)
        planner = SlotPlanner(self.spec, self.settings, last)
        slots = {key: planner.slots(request, windows, now, key) for key in map(_key, records)}
        never = datetime.min.replace(tzinfo=UTC)
        return slots, sorted(records, key=lambda record: last.get(_key(record), never))

    def _last_whole_reads(
        self, request: CollectionRequest, windows: list[tuple[Window, datetime]]
    ) -> dict[AccountKey, datetime]:
        if request.collection == "insights" or not windows:
            return {}
        before = windows[-1][0].start
        has_post_counters = any(source.kind != "series" for source in self.spec.select("post"))
        parameters: dict[str, Parameter] = {
            "platform": self.spec.platform,
            "level": "post" if has_post_counters else "account",
            "before": before,
            "since": (before - timedelta(days=MEMORY_DAYS)).date(),
        }
        rows = self.engine.query("collection/last_whole_reads.sql", parameters).to_pylist()
        return {(row["workspace_id"], row["account_id"]): row["read_at"] for row in rows}

    def _known_posts(self, slots: Mapping[AccountKey, list[Slot]]) -> dict[AccountKey, KnownPosts]:
        """Posts by account, young enough for the earliest slot and not known to be gone."""
        oldest = min((slot.oldest for of_account in slots.values() for slot in of_account), default=None)
        if oldest is None:
            return {}
        parameters: dict[str, Parameter] = {"platform": self.spec.platform, "oldest": oldest}
        known: dict[AccountKey, KnownPosts] = {}
        for row in self.engine.query("collection/known_posts.sql", parameters).to_pylist():
            posts = known.setdefault((row["workspace_id"], row["account_id"]), KnownPosts())
            posts.published[row["post_id"]] = row["published_at"]
        return known


def _key(record: AccountRecord) -> AccountKey:
    return record.workspace_id, record.account_id


def _merge_turns(turns: list[Turn]) -> list[AccountReport]:
    """One report per account over all its slots."""
    merged: dict[AccountKey, AccountReport] = {}
    for _, report in turns:
        key = (report.workspace_id, report.account_id)
        total = merged.setdefault(key, AccountReport(*key, AccountResult(), skipped=True, optional=report.optional))
        total.skipped = total.skipped and report.skipped
        total.problem = total.problem or report.problem
        total.error_class = total.error_class or report.error_class
        total.result.readings += report.result.readings
        total.result.outcomes += report.result.outcomes
        total.result.posts += report.result.posts
        total.result.unknown_fields |= report.result.unknown_fields
        total.result.calls += report.result.calls
    return list(merged.values())
