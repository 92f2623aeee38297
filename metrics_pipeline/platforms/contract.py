"""What a platform adapter is given and what it returns. It knows neither the lake nor the control database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal, Protocol

from metrics_pipeline.windows import Window

Level = Literal["account", "post"]
Kind = Literal["series", "counter", "unique_counter", "gauge"]


class State(StrEnum):
    """What is known about one metric; a value exists only for VALUE and ZERO (design: unknown is never zero)."""

    VALUE = "value"
    ZERO = "zero"
    NOT_SUPPORTED = "not_supported"
    NOT_PERMITTED = "not_permitted"
    FAILED = "failed"
    STALE = "stale"
    UNKNOWN = "unknown"
    INSUFFICIENT_DATA = "insufficient_data"
    NO_COMPONENTS = "no_components"


@dataclass(frozen=True, slots=True)
class Account:
    """One connected platform account. The token never appears in a repr, and so in no log or traceback."""

    workspace_id: str
    account_id: str
    platform: str
    external_id: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Post:
    """One post as the platform describes it now.

    post_type is the platform's own kind in lower case: post, carousel, reel, story, video, short, tweet.
    `deleted` posts are tombstones: only post_id is meaningful then.
    """

    post_id: str
    post_type: str = "post"
    published_at: datetime | None = None
    title: str | None = None
    permalink: str | None = None
    duration_seconds: float | None = None
    deleted: bool = False
    metadata: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """One number as a platform gave it, already in the catalogue's unit.

    date is the measured day for a series and the observation's day for counters and gauges. `window` is an
    ISO 8601 duration: P1D, P7D or P1M for series (date = last day of the window), PT0S for counters and gauges.
    Ratios carry numerator and denominator where they can be had. A reading always has a value: what is
    missing is an Outcome, never a zero.
    """

    level: Level
    post_id: str | None
    metric: str
    source_metric: str
    kind: Kind
    date: date
    value: float
    window: str = "P1D"
    numerator: float | None = None
    denominator: float | None = None
    api: str = ""
    post_type: str | None = None
    day_timezone: str = "UTC"
    definition_version: int = 1
    metadata: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one metric of one account on one measured day: the row of `collection_status`.

    At post level it sums up all posts asked about: objects, and objects_ok of them with a value or zero.
    `window` tells a week's or month's own figure (P7D, P1M, date = its last day) from the day's.
    """

    level: Level
    metric: str
    date: date
    state: State
    reason: str | None = None
    error_class: str | None = None
    objects: int = 1
    objects_ok: int = 0
    window: str = "P1D"


@dataclass(frozen=True, slots=True)
class Profile:
    """How an account presents itself now, in the platform's own words; None for what was not told.

    account_type is what the platform tells kinds of accounts by: X's kind of verification, a Page's category, ...
    """

    name: str | None = None
    account_type: str | None = None


@dataclass(frozen=True, slots=True)
class RawResponse:
    """One response as received. Neither url nor headers nor body hold a token."""

    method: str
    endpoint: str
    params: Mapping[str, str]
    status: int
    api_version: str | None
    received_at: datetime
    body: str


@dataclass(slots=True)
class AccountResult:
    """Everything one account yielded in one run. Filled while it goes, so a late failure keeps what came before."""

    readings: list[Reading] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    responses: list[RawResponse] = field(default_factory=list)
    unknown_fields: set[str] = field(default_factory=set)
    profile: Profile = Profile()
    calls: int = 0


@dataclass(frozen=True, slots=True)
class CollectionContext:
    """What one account's turn needs beside the account.

    now: the instant the run works at; observed_at: the instant counters are read for (equal to now, or a past
    instant where the base URL can answer for it); known_posts: ids of posts to read besides those a listing shows.
    post_age: posts younger than this are listed and read, None lists none; reads_account: whether the account's own
    counters are asked for.
    """

    now: datetime
    observed_at: datetime
    known_posts: Sequence[str] = ()
    post_age: timedelta | None = timedelta(days=35)
    reads_account: bool = True

    @property
    def oldest(self) -> datetime | None:
        """The earliest publication of a post that is listed; None if none is."""
        return None if self.post_age is None else self.observed_at - self.post_age

    @property
    def reads_posts(self) -> bool:
        return self.post_age is not None or bool(self.known_posts)


class Adapter(Protocol):
    """One platform. Methods fill `result` as they go and raise PlatformError only if the whole account is lost."""

    name: str

    async def counters(self, account: Account, context: CollectionContext, result: AccountResult) -> None:
        """Read the account's and its posts' counters and gauges as they stand at context.observed_at."""
        ...

    async def insights(
        self, account: Account, window: Window, context: CollectionContext, result: AccountResult
    ) -> None:
        """Read the platform's own series for the measured days in `window`."""
        ...

    async def aclose(self) -> None: ...
