"""Faults that can be switched on for one account: over HTTP (`/sandbox/faults`) or in process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random
from threading import Lock
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

FaultKind = Literal[
    "token_expired",
    "throttled",
    "server_errors",
    "unreliable",
    "refused_metric",
    "deleted_post",
    "restated",
    "new_vocabulary",
    "analytics_enabled",
    "hidden_subscribers",
    "slow",
    "permission",
    "malformed",
    "renamed",
]

# What a fault cannot do without.
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "refused_metric": ("metric",),
    "deleted_post": ("post_id",),
    "restated": ("day", "factor"),
    "slow": ("ms",),
    "renamed": ("name",),
}
Bad = Literal["fails", "hangs"]


class Fault(BaseModel):
    """One fault of one account; which parameters matter depends on the kind.

    token_expired: `token` (only that token is refused; without it, every one).
    throttled: `requests` to refuse (without it, until cleared), `reset_seconds` until the platform says to return.
    server_errors: every `every`-th request fails with `status`. unreliable: a share of the requests, by chance,
    fails with `status` (`error_share`) or takes `ms` longer than it should (`hang_share`). malformed: `requests`
    broken bodies, default one.
    refused_metric: `metric` as the platform names it. deleted_post: `post_id`.
    restated: the series of `day` (the platform's own calendar) is multiplied by `factor` from `since` on.
    renamed: the account's `name`, and `account_type` where the platform has one, from `since` on.
    slow: `ms` of delay. new_vocabulary, analytics_enabled (X), hidden_subscribers (YouTube), permission: no parameter.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    platform: Literal["facebook", "instagram", "linkedin", "pinterest", "threads", "tiktok", "whatsapp", "x", "youtube"]
    external_id: str
    fault: FaultKind
    token: str | None = Field(None, repr=False)
    requests: int | None = Field(None, ge=1)
    reset_seconds: int = Field(900, ge=0)
    every: int = Field(1, ge=1)
    status: Literal[500, 502, 503, 504] = 503
    metric: str | None = None
    post_id: str | None = None
    day: date | None = None
    factor: float | None = Field(None, ge=0)
    since: AwareDatetime | None = None
    ms: int | None = Field(None, ge=0, le=60_000)
    error_share: float = Field(0.05, ge=0, le=1)
    hang_share: float = Field(0.0, ge=0, le=1)
    name: str | None = Field(None, min_length=1)
    account_type: str | None = None

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Fault:
        missing = [name for name in _NEEDS.get(self.fault, ()) if getattr(self, name) is None]
        if missing:
            raise ValueError(f"fault {self.fault} needs {' and '.join(missing)}")
        return self

    @property
    def identity(self) -> tuple[object, ...]:
        """Two faults with the same identity cannot stand side by side: the later replaces the earlier."""
        return (self.fault, self.token, self.metric, self.post_id, self.day, self.name)


@dataclass(slots=True)
class _Active:
    fault: Fault
    seen: int = 0
    chance: Random = field(default_factory=Random)


@dataclass(slots=True)
class FaultBook:
    """The faults that are switched on. Safe to change from any thread while the server answers."""

    _by_account: dict[tuple[str, str], dict[tuple[object, ...], _Active]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def switch_on(self, platform: str, external_id: str, fault: FaultKind, **parameters: object) -> Fault:
        """Switch a fault on.

        Raises:
            pydantic.ValidationError: an unknown fault, or parameters it cannot work with.
        """
        made = Fault.model_validate(
            {"platform": platform, "external_id": external_id, "fault": fault, **parameters},
        )
        self.add(made)
        return made

    def add(self, fault: Fault) -> None:
        with self._lock:
            # the same fault of the same account draws the same luck each time it is switched on
            chance = Random(f"{fault.platform}/{fault.external_id}")  # noqa: S311 - no secret
            active = self._by_account.setdefault((fault.platform, fault.external_id), {})
            active[fault.identity] = _Active(fault, chance=chance)

    def clear(self, platform: str | None = None, external_id: str | None = None, fault: FaultKind | None = None) -> int:
        """Switch off every fault that matches what is given; returns how many there were."""
        removed = 0
        with self._lock:
            for (on_platform, account), active in list(self._by_account.items()):
                if platform not in (None, on_platform) or external_id not in (None, account):
                    continue
                gone = [identity for identity, one in active.items() if fault in (None, one.fault.fault)]
                for identity in gone:
                    del active[identity]
                removed += len(gone)
                if not active:
                    del self._by_account[(on_platform, account)]
        return removed

    def listed(self) -> list[Fault]:
        """Every fault that is on, in the order it was set."""
        with self._lock:
            return [one.fault for active in self._by_account.values() for one in active.values()]

    def of(self, platform: str, external_id: str, kind: FaultKind) -> list[Fault]:
        """The faults of one kind that are on for an account."""
        if not self._by_account:
            return []
        with self._lock:
            active = self._by_account.get((platform, external_id), {})
            return [one.fault for one in active.values() if one.fault.fault == kind]

    def names(self, platform: str, external_id: str) -> set[str]:
        """The metrics refused for an account."""
        return {fault.metric for fault in self.of(platform, external_id, "refused_metric") if fault.metric}

    def is_deleted(self, platform: str, external_id: str, post_id: str) -> bool:
        return any(fault.post_id == post_id for fault in self.of(platform, external_id, "deleted_post"))

    def restated(self, platform: str, external_id: str, at: float) -> dict[date, float]:
        """Factor per restated day, as far as the restatement has happened at `at`."""
        return {
            fault.day: fault.factor
            for fault in self.of(platform, external_id, "restated")
            if fault.day is not None and fault.factor is not None and _since(fault.since) <= at
        }

    def luck(self, platform: str, external_id: str) -> tuple[Fault, Bad] | None:
        """What becomes of this request of an unreliable platform; None for nothing bad."""
        if not self._by_account:
            return None
        with self._lock:
            for one in self._by_account.get((platform, external_id), {}).values():
                if one.fault.fault == "unreliable":
                    drawn = one.chance.random()
                    if drawn < one.fault.error_share:
                        return one.fault, "fails"
                    if drawn < one.fault.error_share + one.fault.hang_share:
                        return one.fault, "hangs"
        return None

    def renamed(self, platform: str, external_id: str, at: float) -> Fault | None:
        """The newest renaming that has happened at `at`."""
        past = [fault for fault in self.of(platform, external_id, "renamed") if _since(fault.since) <= at]
        return max(past, key=lambda fault: _since(fault.since), default=None)

    def strike(self, platform: str, external_id: str, kind: FaultKind) -> Fault | None:
        """Count one request against a counted fault (throttled, server_errors, malformed); the fault if it hits."""
        if not self._by_account:
            return None
        with self._lock:
            active = self._by_account.get((platform, external_id), {})
            for identity, one in list(active.items()):
                if one.fault.fault != kind:
                    continue
                one.seen += 1
                limit = one.fault.requests or (1 if kind == "malformed" else None)
                if limit is not None and one.seen >= limit:
                    del active[identity]
                return one.fault if one.seen % one.fault.every == 0 else None
        return None


def _since(instant: datetime | None) -> float:
    return float("-inf") if instant is None else instant.timestamp()
