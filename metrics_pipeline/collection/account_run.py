"""One account's part of a run: its token, its turns slot by slot, and a reason for everything it did not reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine as ControlEngine

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.collection.known_posts import KnownPosts
from metrics_pipeline.collection.request import CollectionRequest
from metrics_pipeline.collection.rows import Provenance
from metrics_pipeline.collection.scope import TurnScope
from metrics_pipeline.collection.summary import AccountReport
from metrics_pipeline.collection.tokens import TokenKeeper
from metrics_pipeline.collection.turn import explain_gaps, optional_metrics, take_turn
from metrics_pipeline.control.account_status import mark_needs_reauth
from metrics_pipeline.control.accounts import AccountRecord
from metrics_pipeline.control.holds import HoldRecord
from metrics_pipeline.control.token_bundle import TokenBundle
from metrics_pipeline.errors import UserError
from metrics_pipeline.platforms.contract import Account, AccountResult, Adapter
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.windows import Window

Turn = tuple[Provenance, AccountReport]


@dataclass(frozen=True, slots=True)
class Slot:
    """A window, the instant it is looked at, what is due then, and the earliest post that is still read."""

    window: Window
    instant: datetime
    scope: TurnScope
    oldest: datetime


class AccountRun:
    """Takes one account through its slots. Once the account is lost, its later slots are marked the same.

    hold: the platform asked to be left alone, so nothing is sent. `lost` is why the account's run ended early.
    """

    def __init__(
        self,
        spec: PlatformSpec,
        control: ControlEngine,
        tokens: TokenKeeper,
        record: AccountRecord,
        known: KnownPosts,
        now: datetime,
        hold: HoldRecord | None = None,
    ) -> None:
        self._hold_until = hold
        self._spec = spec
        self._control = control
        self._tokens = tokens
        self._record = record
        self._known = known
        self._now = now
        self._account: Account | None = None
        self._bundle: TokenBundle | None = None
        self.lost: PlatformError | None = None

    async def take(self, adapter: Adapter, request: CollectionRequest, slots: Sequence[Slot]) -> list[Turn]:
        """The turns of every slot, in order."""
        if slots:
            await self._sign_in()
        return [await self._turn(adapter, request, slot) for slot in slots]

    async def _sign_in(self) -> None:
        if self._hold_until is not None:
            reason, until = self._hold_until.reason, self._hold_until.until
            self.lost = PlatformError(Act.WAIT, f"left alone until {until:%Y-%m-%d %H:%M} UTC: {reason}")
            return
        if self._record.status == "needs_reauth":
            reason = self._record.status_reason or "the account has to sign in again"
            self.lost = PlatformError(Act.REAUTH, reason)
            return
        try:
            self._hold(await self._tokens.current(self._record))
        except PlatformError as error:
            self._lose(error)
        except UserError as error:  # its token cannot be decrypted: that is no reason to stop the others
            self.lost = PlatformError(Act.CONFIG, str(error))

    async def _turn(self, adapter: Adapter, request: CollectionRequest, slot: Slot) -> Turn:
        r = self._record
        report = AccountReport(
            r.workspace_id,
            r.account_id,
            AccountResult(),
            optional=optional_metrics(self._spec, request.collection),
        )
        if self.lost is None and self._account is not None:
            await self._ask(self._account, adapter, request, slot, report)
            if self.lost is not None:
                report.problem, report.error_class = str(self.lost), self.lost.act.value
        elif self.lost is not None:
            report.problem, report.error_class, report.skipped = str(self.lost), self.lost.act.value, True
        self._known.learn(report.result.posts)
        if self.lost is not None:
            explain_gaps(
                self._spec, request.collection, slot.window, report.result, self.lost, levels=slot.scope.levels
            )
        provenance = Provenance(
            r.workspace_id,
            self._spec.platform,
            r.account_id,
            request.collection,
            request.run_id,
            slot.instant,
            slot.window,
            slot.scope,
        )
        return provenance, report

    async def _ask(
        self, account: Account, adapter: Adapter, request: CollectionRequest, slot: Slot, report: AccountReport
    ) -> None:
        """Let the adapter read the slot; a token refused although it should be good gets one successor."""
        context = slot.scope.context(self._now, slot.instant, self._known, slot.oldest)
        kind = request.collection
        lost = await take_turn(adapter, kind, account, slot.window, context, report.result)
        bundle = self._bundle
        if lost is not None and lost.act is Act.REAUTH and bundle is not None and self._tokens.can_renew(bundle):
            try:
                account = self._hold(await self._tokens.renewed(self._record, bundle))
                report.result = AccountResult(responses=report.result.responses, calls=report.result.calls)
                lost = await take_turn(adapter, kind, account, slot.window, context, report.result)
            except PlatformError as error:
                lost = error
        if lost is not None:
            self._lose(lost)

    def _hold(self, bundle: TokenBundle) -> Account:
        r = self._record
        self._bundle = bundle
        self._account = Account(r.workspace_id, r.account_id, r.platform, r.external_id, bundle.access_token)
        return self._account

    def _lose(self, error: PlatformError) -> None:
        """Give the account up; mark it if its owner has to sign in, unless its token was replaced meanwhile."""
        self.lost = error
        if error.act is Act.REAUTH:
            mark_needs_reauth(
                self._control,
                self._record.workspace_id,
                self._record.account_id,
                str(error),
                now=self._now,
                credentials_updated_at=self._record.credentials_updated_at,
            )
