"""Collects one platform's accounts for a window: each account on its own, none can sink the others."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine as ControlEngine

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.collection.known_posts import KnownPosts
from metrics_pipeline.collection.request import CollectionRequest
from metrics_pipeline.collection.rows import Provenance, batch
from metrics_pipeline.collection.store import store_batch
from metrics_pipeline.collection.summary import AccountReport, CollectionSummary
from metrics_pipeline.collection.tokens import TokenKeeper
from metrics_pipeline.collection.turn import explain_gaps, optional_metrics, take_turn
from metrics_pipeline.control.account_status import mark_needs_reauth
from metrics_pipeline.control.accounts import AccountRecord, list_accounts
from metrics_pipeline.control.token_bundle import TokenBundle
from metrics_pipeline.errors import UserError
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.platforms.contract import (
    Account,
    AccountResult,
    Adapter,
    CollectionContext,
)
from metrics_pipeline.platforms.errors import Act, PlatformError
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
    build_adapter: Callable[[], Adapter]
    can_observe_past: bool

    def run(self, request: CollectionRequest) -> CollectionSummary:
        """Collect, store, and say what happened.

        Raises:
            PastHourError: counters of an hour that cannot be observed were asked for.
        """
        started = time.monotonic()
        now = self.settings.clock.now()
        slots = request.slots(now, can_observe_past=self.can_observe_past, platform=self.spec.label)
        accounts = self._accounts(request)
        turns = asyncio.run(self._collect(request, slots, accounts, now)) if accounts and slots else []
        summary = CollectionSummary(self.spec.platform, request.collection, _merge_turns(turns))
        summary.rows_gained = store_batch(
            self.engine, self.spec.platform, request.collection, batch(request.collection, turns)
        )
        summary.seconds = time.monotonic() - started
        if slots:
            summary.lag_minutes = max(0.0, (now - slots[-1][0].end).total_seconds() / 60)
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
        slots: list[tuple[Window, datetime]],
        records: list[AccountRecord],
        now: datetime,
    ) -> list[tuple[Provenance, AccountReport]]:
        adapter = self.build_adapter()
        known_posts = self._known_posts(slots[0][1])
        workspaces = asyncio.Semaphore(self.settings.parallel_workspaces)
        by_workspace: dict[str, list[AccountRecord]] = {}
        for record in records:
            by_workspace.setdefault(record.workspace_id, []).append(record)

        async def collect_workspace(members: list[AccountRecord]) -> list[tuple[Provenance, AccountReport]]:
            async with workspaces:
                turns = await asyncio.gather(
                    *(self._account(adapter, request, slots, m, now, known_posts) for m in members)
                )
            return [turn for account_turns in turns for turn in account_turns]

        try:
            gathered = await asyncio.gather(*(collect_workspace(m) for m in by_workspace.values()))
        finally:
            await adapter.aclose()
        return [turn for turns in gathered for turn in turns]

    async def _account(
        self,
        adapter: Adapter,
        request: CollectionRequest,
        slots: list[tuple[Window, datetime]],
        record: AccountRecord,
        now: datetime,
        known_posts: Mapping[tuple[str, str], KnownPosts],
    ) -> list[tuple[Provenance, AccountReport]]:
        """One account's turn over every slot. Once the account is lost, its later slots are marked the same."""
        lost: PlatformError | None = None
        account: Account | None = None
        bundle: TokenBundle | None = None
        if record.status == "needs_reauth":
            lost = PlatformError(Act.REAUTH, record.status_reason or "the account has to sign in again")
        else:
            try:
                bundle = await self.tokens.current(record)
                account = _with_token(record, bundle)
            except PlatformError as error:
                lost = error
                self._note_lost(record, error, now)
            except UserError as error:  # its token cannot be decrypted: that is no reason to stop the others
                lost = PlatformError(Act.CONFIG, str(error))
        known = known_posts.get((record.workspace_id, record.account_id), KnownPosts())
        turns = []
        for window, instant in slots:
            report = AccountReport(
                record.workspace_id,
                record.account_id,
                AccountResult(),
                optional=optional_metrics(self.spec, request.collection),
            )
            if lost is None and account is not None:
                oldest = instant - timedelta(days=self.settings.post_max_age_days)
                context = CollectionContext(now=now, observed_at=instant, known_posts=known.between(oldest, instant))
                lost = await take_turn(adapter, request.collection, account, window, context, report.result)
                if lost is not None and lost.act is Act.REAUTH and bundle is not None and self.tokens.can_renew(bundle):
                    # refused although it should be good: the next token gets one try, at the whole slot
                    try:
                        bundle = await self.tokens.renewed(record, bundle)
                        account = _with_token(record, bundle)
                        report.result = AccountResult(responses=report.result.responses, calls=report.result.calls)
                        lost = await take_turn(adapter, request.collection, account, window, context, report.result)
                    except PlatformError as error:
                        lost = error
                if lost is not None:
                    report.problem, report.error_class = str(lost), lost.act.value
                    self._note_lost(record, lost, now)
            elif lost is not None:
                report.problem, report.error_class, report.skipped = str(lost), lost.act.value, True
            known.learn(report.result.posts)
            if lost is not None:
                explain_gaps(self.spec, request.collection, window, report.result, lost)
            provenance = Provenance(
                record.workspace_id,
                self.spec.platform,
                record.account_id,
                request.collection,
                request.run_id,
                instant,
                window,
            )
            turns.append((provenance, report))
        return turns

    def _note_lost(self, record: AccountRecord, error: PlatformError, now: datetime) -> None:
        """Mark an account whose owner has to sign in again, unless its token was replaced meanwhile."""
        if error.act is not Act.REAUTH:
            return
        mark_needs_reauth(
            self.control,
            record.workspace_id,
            record.account_id,
            str(error),
            now=now,
            credentials_updated_at=record.credentials_updated_at,
        )

    def _known_posts(self, at: datetime) -> dict[tuple[str, str], KnownPosts]:
        """Posts by account, young enough to be read at `at` or later and not known to be gone."""
        rows = self.engine.query(
            "collection/known_posts.sql",
            {"platform": self.spec.platform, "oldest": at - timedelta(days=self.settings.post_max_age_days)},
        ).to_pylist()
        known: dict[tuple[str, str], KnownPosts] = {}
        for row in rows:
            posts = known.setdefault((row["workspace_id"], row["account_id"]), KnownPosts())
            posts.published[row["post_id"]] = row["published_at"]
        return known


def _with_token(record: AccountRecord, bundle: TokenBundle) -> Account:
    """The account as an adapter is given it."""
    return Account(record.workspace_id, record.account_id, record.platform, record.external_id, bundle.access_token)


def _merge_turns(turns: list[tuple[Provenance, AccountReport]]) -> list[AccountReport]:
    """One report per account over all its slots."""
    merged: dict[tuple[str, str], AccountReport] = {}
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
