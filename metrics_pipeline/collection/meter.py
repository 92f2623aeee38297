"""Budgets of a day: what a platform's calls use is counted in the control database, and stops where it must."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine as ControlEngine

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.control.usage import spend
from metrics_pipeline.platforms.errors import Act, Answer, PlatformError
from metrics_pipeline.platforms.metering import Request, item_ids
from metrics_pipeline.settings import Settings

BUDGET_SPENT = "daily_budget"
# Reserved at once of a limited item, so that not every call is a write; what is left over is given back.
CHUNKS = 100

Paid = tuple[str, str, str]  # workspace, account, id of the item


@dataclass(frozen=True, slots=True)
class Budgets:
    """The most that may be used in one of the platform's days: per application, endpoint and account."""

    app: Mapping[str, float]
    per_endpoint: float | None = None
    per_account: float | None = None

    @classmethod
    def of(cls, spec: PlatformSpec, settings: Settings, *, documented: bool = True) -> Budgets:
        """The platform's documented limits, where they bind, and over them the budgets of the settings."""
        app: dict[str, float] = {}
        endpoint: float | None = None
        account: float | None = None
        for limit in spec.limits if documented else ():
            if limit.every != "day" or not limit.enforced or not limit.applies(settings):
                continue
            if limit.per_endpoint:
                endpoint = limit.amount
            elif limit.per_account:
                account = limit.amount
            else:
                app[limit.unit] = limit.amount
        chosen: dict[str, float] = dict(settings.budgets.get(spec.platform, {}).items())
        endpoint = chosen.pop("calls_per_endpoint", endpoint)
        account = chosen.pop("calls_per_account", account)
        return cls({**app, **chosen}, endpoint, account)

    def limit(self, item: str) -> float | None:
        """The limit of one item of the ledger."""
        if item.startswith("endpoint "):
            return self.per_endpoint
        return self.per_account if item.startswith("account ") else self.app.get(item)


class DailyMeter:
    """Counts one run's requests against the day's budgets. `close` gives back what was reserved and not used."""

    def __init__(
        self,
        spec: PlatformSpec,
        settings: Settings,
        control: ControlEngine,
        budgets: Budgets,
        paid_today: Iterable[Paid] = (),
    ) -> None:
        self._spec = spec
        self._clock = settings.clock
        self._zone = ZoneInfo(spec.quota_timezone)
        self._control = control
        self._budgets = budgets
        self._paid = set(paid_today)
        self._reserved: dict[tuple[date, str], float] = defaultdict(float)
        self._counted: dict[tuple[date, str], float] = defaultdict(float)

    def admit(self, request: Request) -> None:
        """Reserve what the request costs at most.

        Raises:
            PlatformError: wait until the next day of quota, when a budget does not cover it.
        """
        taken: list[tuple[str, float]] = []
        for item, amount in self._costs(request, request.most_items).items():
            try:
                self._take(item, amount)
            except PlatformError:
                for earlier, part in taken:
                    self._put_back(earlier, part)
                raise
            taken.append((item, amount))

    def settle(self, request: Request, answer: Answer | None) -> None:
        """Give back what the answer did not cost: items fewer than asked, or paid for earlier in the day."""
        kind = request.kind
        if kind is None or not kind.usd:
            return
        key = (request.account.workspace_id, request.account.account_id)
        ids = [(*key, name) for name in item_ids(answer)] if answer is not None else []
        new = [paid for paid in ids if not (kind.once_a_day and paid in self._paid)]
        self._paid |= set(new)
        self._put_back("usd", (request.most_items - len(new)) * kind.usd)

    def close(self) -> None:
        """Write the counts and give back what is reserved."""
        for (day, item), amount in self._reserved.items():
            if amount:
                spend(self._control, self._spec.platform, day, item, -amount)
        for (day, item), amount in self._counted.items():
            if amount:
                spend(self._control, self._spec.platform, day, item, amount)
        self._reserved.clear()
        self._counted.clear()

    def _costs(self, request: Request, items: int) -> dict[str, float]:
        costs = {"calls": 1.0, f"endpoint {request.endpoint}": 1.0}
        if self._budgets.per_account is not None:
            costs[f"account {request.account.workspace_id}/{request.account.account_id}"] = 1.0
        if request.kind is not None and request.kind.units:
            costs["units"] = request.kind.units
        if request.kind is not None and request.kind.usd:
            costs["usd"] = request.kind.usd * items
        return costs

    def _take(self, item: str, amount: float) -> None:
        now = self._clock.now()
        key = (self._day(now), item)
        limit = self._budgets.limit(item)
        if limit is None:
            self._counted[key] += amount
            return
        missing = amount - self._reserved[key]
        if missing > 0:
            wanted = max(missing, limit / CHUNKS)
            if self._reserve(key, wanted, limit):
                self._reserved[key] += wanted
            elif self._reserve(key, missing, limit):
                self._reserved[key] += missing
            else:
                raise self._spent(item, limit, now)
        self._reserved[key] -= amount

    def _put_back(self, item: str, amount: float) -> None:
        key = (self._day(self._clock.now()), item)
        if self._budgets.limit(item) is None:
            self._counted[key] -= amount
        else:
            self._reserved[key] += amount

    def _reserve(self, key: tuple[date, str], amount: float, limit: float) -> bool:
        day, item = key
        return spend(self._control, self._spec.platform, day, item, amount, limit)

    def _spent(self, item: str, limit: float, now: datetime) -> PlatformError:
        reset = quota_reset(self._zone, now)
        what, _, whose = item.partition(" ")
        unit = "calls" if whose else what
        where = f" for {whose}" if whose else ""
        return PlatformError(
            Act.WAIT,
            f"the day's budget of {limit:g} {unit}{where} is spent until {reset:%Y-%m-%d %H:%M} UTC",
            wait_seconds=(reset - now).total_seconds(),
            scope="account" if whose else "app",
            code=BUDGET_SPENT,
        )

    def _day(self, now: datetime) -> date:
        return now.astimezone(self._zone).date()


def quota_reset(zone: ZoneInfo, now: datetime) -> datetime:
    """The instant, in UTC, at which the next day of quota begins."""
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone).astimezone(now.tzinfo)
