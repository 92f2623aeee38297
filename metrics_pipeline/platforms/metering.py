"""What one request costs, who counts it, and pacing below a platform's limits per minute."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from metrics_pipeline.catalog.calls import ApiCall, Limit
from metrics_pipeline.platforms.contract import Account
from metrics_pipeline.platforms.errors import Answer

MINUTE = 60.0
_NUMBER = re.compile(r"/\d+(?=/|$)")


@dataclass(frozen=True, slots=True)
class Request:
    """One request about to be sent. `kind` is what the platform's YAML says of such calls, if it says anything."""

    account: Account
    endpoint: str
    kind: ApiCall | None
    params: Mapping[str, str]

    @property
    def most_items(self) -> int:
        """The most items its answer can hold: the ids it names, or the page it asks for."""
        if "ids" in self.params:
            return self.params["ids"].count(",") + 1
        size = self.params.get("max_results", "1")
        return int(size) if size.isdecimal() else 1


def request_of(calls: Sequence[ApiCall], account: Account, path: str, params: Mapping[str, str]) -> Request:
    """The request with the endpoint it is counted under: the template that it matches, else its path without ids."""
    kind = next((call for call in calls if call.matches(path)), None)
    return Request(account, kind.endpoint if kind else _NUMBER.sub("/{id}", path), kind, params)


def item_ids(answer: Answer) -> list[str]:
    """The ids of the items in an answer's `data`; an item without one counts under its place."""
    data = answer.mapping().get("data")
    items = data if isinstance(data, list) else [data] if isinstance(data, dict) else []
    return [str(item["id"]) if isinstance(item, dict) and "id" in item else f"#{n}" for n, item in enumerate(items)]


class Meter(Protocol):
    """Counts requests, and refuses those that a budget no longer covers."""

    def admit(self, request: Request) -> None:
        """Reserve the most this request can cost.

        Raises:
            PlatformError: wait, when a budget of the day is spent.
        """
        ...

    def settle(self, request: Request, answer: Answer | None) -> None:
        """Count what it really cost; None if no answer came or it was an error."""
        ...


class Unmetered:
    """Counts nothing."""

    def admit(self, request: Request) -> None:
        return

    def settle(self, request: Request, answer: Answer | None) -> None:
        return


class Pace:
    """Spreads requests so that no sliding minute holds more of them than the platform allows."""

    def __init__(self, limits: Iterable[Limit]) -> None:
        self._limits = [limit for limit in limits if limit.every == "minute" and limit.unit == "calls"]
        self._sent: dict[tuple[int, str, str], deque[float]] = {}

    def delay(self, request: Request, now: float) -> float:
        """Seconds to wait before this request, which is then taken as sent. `now` is any steady clock's seconds."""
        at = now
        windows = []
        for number, limit in enumerate(self._limits):
            endpoint = request.endpoint if limit.per_endpoint else ""
            account = f"{request.account.workspace_id}/{request.account.account_id}" if limit.per_account else ""
            window = self._sent.setdefault((number, endpoint, account), deque(maxlen=int(limit.amount)))
            if len(window) == window.maxlen:
                at = max(at, window[0] + MINUTE)
            windows.append(window)
        for window in windows:
            window.append(at)
        return at - now
