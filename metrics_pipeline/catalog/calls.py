"""What a platform's calls are, cost and are limited to: its YAML's `calls` and `limits`.

One table serves three ends: the plan of a day's calls before anything is spent, the metering of what is spent, and
the pacing below documented limits.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Unit = Literal["calls", "units", "usd"]


class _Described(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    when: dict[str, str] = {}

    def applies(self, settings: object) -> bool:
        """Whether the settings named in `when` have these values."""
        return all(str(getattr(settings, name)) == value for name, value in self.when.items())


class ApiCall(_Described):
    """One kind of request a collection makes.

    endpoint: the path, with {id} or {version} for what varies. per: what the number of calls follows: each look at
    an account, the posts that are due, every post of the account, or the measured days; `batch` of them go into one
    call, and `times` calls are made for each. lists: one call is made even if there is nothing. max_age_days: only
    for younger posts.
    units: quota units of a call. usd: price of each item in the answer's `data`; `once_a_day` items are paid for once
    in a UTC day.
    """

    endpoint: str
    collection: Literal["counters", "insights"]
    per: Literal["look", "due_post", "post", "day"]
    batch: int = Field(1, ge=1)
    times: int = Field(1, ge=1)
    lists: bool = False
    max_age_days: int | None = Field(None, ge=1)
    units: float = Field(0, ge=0)
    usd: float = Field(0, ge=0)
    once_a_day: bool = False

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = re.split(r"\{\w+\}", self.endpoint)
        return re.compile("[^/]+".join(re.escape(part) for part in parts) + "/?")

    def matches(self, path: str) -> bool:
        return self._pattern.fullmatch(path) is not None


class Limit(_Described):
    """What the platform allows in a window.

    per_endpoint, per_account: each endpoint or account has its own count. enforced: the pipeline keeps below it; else
    it is told beside the plan only, because it depends on the application's standing (`note`).
    """

    unit: Unit
    amount: float = Field(gt=0)
    every: Literal["minute", "day"]
    per_endpoint: bool = False
    per_account: bool = False
    enforced: bool = True
    note: str = ""
