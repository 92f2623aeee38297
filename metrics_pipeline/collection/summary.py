"""What a collection run did: the figures of its log line, its Dagster metadata and its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from metrics_pipeline.platforms.contract import AccountResult, State
from metrics_pipeline.platforms.errors import Act

GOOD = (State.VALUE, State.ZERO)
OUTAGES = (Act.RETRY, Act.WAIT)


class Verdict(StrEnum):
    COMPLETED = "COMPLETED"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"
    EMPTY = "EMPTY"


@dataclass(slots=True)
class AccountReport:
    """One account's turn. `problem` is why it did not come to its end; `skipped` accounts were not asked at all.

    `optional` metrics may be refused without anybody having to act: plans and account kinds differ.
    """

    workspace_id: str
    account_id: str
    result: AccountResult
    problem: str | None = None
    error_class: str | None = None
    skipped: bool = False
    optional: frozenset[str] = frozenset()

    @property
    def values(self) -> int:
        return sum(o.state in GOOD for o in self.result.outcomes)

    @property
    def failures(self) -> list[str]:
        """Metrics that should be there and are not; an optional one only if an outage took it, not a refusal."""
        bad = [o for o in self.result.outcomes if o.state in (State.FAILED, State.NOT_PERMITTED)]
        return sorted({o.metric for o in bad if o.metric not in self.optional or o.error_class in OUTAGES})

    @property
    def is_ok(self) -> bool:
        """Everything asked was answered: with a number, or with a reason that is no failure."""
        return not self.skipped and self.problem is None and not self.failures

    def line(self) -> str:
        """The account's log line."""
        head = f"{self.workspace_id}/{self.account_id}"
        if self.skipped:
            return f"{head}: skipped, {self.problem}"
        counts = f"{len(self.result.readings)} readings, {self.values} metric days, {self.result.calls} calls"
        if self.problem is not None:
            return f"{head}: {counts}; stopped: {self.problem}"
        if self.failures:
            return f"{head}: {counts}; without {', '.join(self.failures)}"
        return f"{head}: {counts}"


@dataclass(slots=True)
class CollectionSummary:
    """Totals over the accounts of one run.

    Coverage is the share of accounts with at least one value or zero among those that should be collected;
    not_due counts the others, whose cadence has no slot in this run.
    """

    platform: str
    collection: str
    accounts: list[AccountReport] = field(default_factory=list)
    rows_gained: int = 0
    seconds: float = 0.0
    lag_minutes: float | None = None
    not_due: int = 0

    @property
    def ok(self) -> int:
        return sum(a.is_ok for a in self.accounts)

    @property
    def skipped(self) -> int:
        return sum(a.skipped for a in self.accounts)

    @property
    def failed(self) -> int:
        return len(self.accounts) - self.ok - self.skipped

    @property
    def calls(self) -> int:
        return sum(a.result.calls for a in self.accounts)

    @property
    def readings(self) -> int:
        return sum(len(a.result.readings) for a in self.accounts)

    @property
    def coverage(self) -> float | None:
        if not self.accounts:
            return None
        return sum(a.values > 0 for a in self.accounts) / len(self.accounts)

    @property
    def verdict(self) -> Verdict:
        """FAILED only when nothing worked; PARTIAL when something is missing."""
        if not self.accounts:
            return Verdict.EMPTY
        if all(a.is_ok for a in self.accounts):
            return Verdict.COMPLETED
        return Verdict.PARTIAL if any(a.values for a in self.accounts) else Verdict.FAILED

    @property
    def left_for_later(self) -> list[AccountReport]:
        """Accounts that a limit or a budget stopped: a later run reads what they lack."""
        return [a for a in self.accounts if a.error_class == Act.WAIT]

    def readings_per_day(self) -> Mapping[date, int]:
        return Counter(r.date for a in self.accounts for r in a.result.readings)

    def line(self) -> str:
        """The run's closing line."""
        if not self.accounts:
            waiting = f"nothing is due for {self.not_due} accounts" if self.not_due else "no account is connected"
            return f"{self.platform} {self.collection}: {waiting}"
        later = f", {len(self.left_for_later)} left for later" if self.left_for_later else ""
        return (
            f"{self.platform} {self.collection} {self.verdict}: {self.ok} of {len(self.accounts)} accounts ok, "
            f"{self.failed} with failures, {self.skipped} skipped{later}; {self.readings} readings, "
            f"{self.calls} calls, {self.seconds:.1f} s"
        )
