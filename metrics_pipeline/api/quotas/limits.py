"""How much one may send and read: per end user behind a browser's key or with a token, per key otherwise.

Counts live in this process, or in METRICS_REDIS_URL: then several API processes keep one quota together.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from metrics_pipeline.api.auth import Caller
from metrics_pipeline.api.problems import Problem
from metrics_pipeline.api.quotas.limit_store import TwoWindows
from metrics_pipeline.settings import Settings

if TYPE_CHECKING:
    from metrics_pipeline.api.quotas.shared_windows import SharedWindows

WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Charge:
    """What a request costs somebody: `cost` of the quota of a policy."""

    policy: str
    item: RateLimitItem
    subject: str
    cost: int = 1


class Limits:
    """Quotas, each over a sliding minute."""

    def __init__(
        self, settings: Settings, tell_refused: Callable[[Collection[str]], None] = lambda _policies: None
    ) -> None:
        """tell_refused: is given the quotas that a refused request would have passed."""
        self._tell_refused = tell_refused
        self._shared: SharedWindows | None = None
        if settings.redis_url is not None:
            from metrics_pipeline.api.quotas.shared_windows import SharedWindows

            self._shared = SharedWindows(settings.redis_url.get_secret_value())
        self._limiter = SlidingWindowCounterRateLimiter(self._shared or TwoWindows())
        self._track = RateLimitItemPerMinute(settings.api_user_track_per_minute)
        self._batch = RateLimitItemPerMinute(settings.api_user_batches_per_minute)
        self._browser_key = RateLimitItemPerMinute(settings.api_browser_key_events_per_minute)
        self._server_key = RateLimitItemPerMinute(settings.api_server_key_events_per_minute)
        self._user_reads = RateLimitItemPerMinute(settings.api_user_reads_per_minute)
        self._key_reads = RateLimitItemPerMinute(settings.api_server_key_reads_per_minute)
        self._triggers = RateLimitItemPerMinute(settings.api_triggers_per_minute)

    async def is_shared(self) -> bool:
        """Whether quotas are kept as they are set to be: False while Redis is away and this process counts alone."""
        return self._shared is None or await self._shared.check()

    async def close(self) -> None:
        """Let go of Redis."""
        if self._shared is not None:
            await self._shared.close()

    async def spend_single(self, caller: Caller, user: str) -> dict[str, str]:
        """Charge one event; the headers for the answer.

        Raises:
            Problem: 429 where a quota is used up; nothing is charged then.
        """
        return await self._spend(caller, "user-track", self._track, {user}, 1)

    async def spend_batch(self, caller: Caller, users: Collection[str], events: int) -> dict[str, str]:
        """Charge a batch to everyone it has events of; as spend_single."""
        return await self._spend(caller, "user-batch", self._batch, users, events)

    async def spend_read(self, caller: Caller) -> dict[str, str]:
        """Charge one read, wherever its answer comes from; as spend_single."""
        item = self._key_reads if caller.subject is None else self._user_reads
        return await self._charge([Charge("reads", item, f"{_whose(caller)}/reads")])

    async def spend_trigger(self, caller: Caller) -> dict[str, str]:
        """Charge a request that may start runs; as spend_single."""
        return await self._charge([Charge("triggers", self._triggers, f"{_whose(caller)}/triggers")])

    async def _spend(
        self, caller: Caller, policy: str, item: RateLimitItem, users: Collection[str], events: int
    ) -> dict[str, str]:
        if caller.subject is not None:  # the one who signed in, whoever his events name
            return await self._charge([Charge(policy, item, f"{_whose(caller)}/{policy}")])
        key_item = self._browser_key if caller.is_browser else self._server_key
        charges = [Charge("key", key_item, caller.key_id, events)]
        if caller.is_browser:
            charges += [Charge(policy, item, f"{caller.key_id}/{policy}/{_short(user)}") for user in users]
        return await self._charge(charges)

    async def _charge(self, charges: Sequence[Charge]) -> dict[str, str]:
        # of several none may be charged if one is exhausted; a single one is refused without being charged
        exhausted = await self._refused(charges, self._limiter.test) if len(charges) > 1 else []
        # another process may have come in between: who is refused only here has paid for the others in his request
        exhausted = exhausted or await self._refused(charges, self._limiter.hit)
        if exhausted:
            self._tell_refused(sorted({charge.policy for charge in exhausted}))
            headers = await self._headers(exhausted[:1])
            stats = await self._limiter.get_window_stats(exhausted[0].item, exhausted[0].subject)
            headers["Retry-After"] = str(_seconds_until(stats.reset_time))
            raise Problem(
                429,
                "quota_exceeded",
                "Too many requests; wait as long as Retry-After says.",
                headers=headers,
                extensions={"violated-policies": sorted({charge.policy for charge in exhausted})},
            )
        return await self._headers(charges[:2])

    async def _refused(self, charges: Sequence[Charge], ask: Callable[..., Awaitable[bool]]) -> list[Charge]:
        """The charges that this question is answered with no for; asked side by side where each is a way to Redis."""
        questions = [ask(charge.item, charge.subject, cost=charge.cost) for charge in charges]
        if self._shared is not None and len(questions) > 1:
            answers = list(await asyncio.gather(*questions))
        else:
            answers = [await question for question in questions]
        return [charge for charge, answer in zip(charges, answers, strict=True) if not answer]

    async def _headers(self, charges: Sequence[Charge]) -> dict[str, str]:
        """RateLimit-Policy and RateLimit, as in the IETF draft on rate-limit headers."""
        left = []
        for charge in charges:
            stats = await self._limiter.get_window_stats(charge.item, charge.subject)
            left.append(f'"{charge.policy}";r={max(0, stats.remaining)};t={_seconds_until(stats.reset_time)}')
        quotas = (f'"{charge.policy}";q={charge.item.amount};w={WINDOW_SECONDS}' for charge in charges)
        return {"RateLimit-Policy": ", ".join(quotas), "RateLimit": ", ".join(left)}


def _whose(caller: Caller) -> str:
    """The end user of a token, in whichever workspace; else the key."""
    return caller.key_id if caller.subject is None else f"user/{_short(caller.subject)}"


def _seconds_until(instant: float) -> int:
    return max(1, math.ceil(instant - time.time()))


def _short(user: str) -> str:
    """Whatever was sent as a user id, in a bounded length; nobody reads user ids out of the counters either."""
    return hashlib.blake2b(user.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
