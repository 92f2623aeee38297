"""Pinterest: levels of an account, totals of its pins, and the account's daily series."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.platforms.contract import Account, AccountResult, CollectionContext, Profile, State
from metrics_pipeline.platforms.dialect import Dialect
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.http import PlatformClient, Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.pinterest_analytics import AccountSeries
from metrics_pipeline.platforms.pinterest_errors import classify, quota_used_up
from metrics_pipeline.platforms.pinterest_pins import Pin, list_pins, look_up
from metrics_pipeline.platforms.readings import reading
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

DIALECT = Dialect(classify, quota_used_up, limits_per_endpoint=True)
_NOT_NEEDED = ("profile_image", "website_url", "about", "business_name")


class PinterestAdapter:
    """One account is its id or user name and its owner's OAuth token; no request names the account, only the token."""

    name = "pinterest"

    def __init__(self, spec: PlatformSpec, settings: Settings, client: PlatformClient) -> None:
        self._spec = spec
        self._settings = settings
        self._client = client

    async def counters(self, account: Account, context: CollectionContext, result: AccountResult) -> None:
        session = self._client.session(account, context.observed_at, result)
        day = context.observed_at.date()
        patience = Patience()
        with Tally(result) as tally:
            levels = await self._levels(session, account, result)  # always: it checks whose token this is
            if context.reads_account:
                self._keep_levels(levels, day, result, tally)
            if not context.reads_posts:
                return
            pins: list[Pin] = []
            try:
                if context.oldest is not None:
                    newest_first = self._settings.pinterest_newest_first
                    pins = await list_pins(session, context.oldest, newest_first=newest_first, result=result)
            except PlatformError as error:
                if error.act is not Act.PERMISSION:
                    raise
                for source in self._spec.select("post"):  # pins need scopes of their own; the levels above stay
                    tally.refuse("post", source.metric, day, error)
                return
            result.posts += [pin.post for pin in pins]
            missing = sorted(set(context.known_posts) - {pin.post.post_id for pin in pins})
            there, gone = await look_up(session, missing, patience, result)
            result.posts += [pin.post for pin in there] + gone
            self._keep_pins(pins + there, day, result, tally)

    async def insights(
        self, account: Account, window: Window, context: CollectionContext, result: AccountResult
    ) -> None:
        session = self._client.session(account, context.now, result)
        days = [day for day in window.days() if day <= context.now.date()]
        with Tally(result) as tally:
            await self._levels(session, account, result)  # for the check of the token's owner
            await AccountSeries(session, self._spec, context.now, result).read(days, tally)

    async def _levels(
        self, session: Session, account: Account, result: AccountResult
    ) -> dict[str, float] | PlatformError:
        """The account's levels by name, or the missing permission that costs only them.

        Raises:
            PlatformError: reauth, when the token is another account's: its numbers must not be stored here.
        """
        try:
            answer = await session.get("/v5/user_account", {})
        except PlatformError as error:
            if error.act is not Act.PERMISSION:
                raise
            return error
        with Fields(answer.body, "user_account", result.unknown_fields) as body:
            body.ignore(*_NOT_NEEDED)
            profile = Profile(body.text("username"), body.text("account_type"))
            names = {body.identifier("id"), profile.name} - {None}
            if names and account.external_id not in names:
                raise PlatformError(Act.REAUTH, "the token belongs to another Pinterest account")
            result.profile = profile
            sources = self._spec.select("account", "gauge", "user_account")
            return {s.source: value for s in sources if (value := body.number(s.source)) is not None}

    def _keep_levels(
        self, levels: dict[str, float] | PlatformError, day: date, result: AccountResult, tally: Tally
    ) -> None:
        for source in self._spec.select("account", "gauge", "user_account"):
            tally.plan("account", source.metric, day)
            if isinstance(levels, PlatformError):
                tally.refuse("account", source.metric, day, levels)
            elif source.source in levels:
                result.readings.append(reading(source, day, levels[source.source]))
                tally.hit("account", source.metric, day, levels[source.source])

    def _keep_pins(self, pins: Sequence[Pin], day: date, result: AccountResult, tally: Tally) -> None:
        for source in self._spec.select("post", "counter", "pins"):
            tally.plan("post", source.metric, day, len(pins))
            for pin in pins:
                if pin.totals is None:
                    tally.miss("post", source.metric, day, State.NOT_SUPPORTED, "no lifetime figures for this pin")
                    continue
                parts = [pin.totals.get(name) for name in source.source.split("+")]
                known = [part for part in parts if part is not None]
                if len(known) == len(parts):
                    raw = sum(known)
                    result.readings.append(reading(source, day, raw, post=pin.post))
                    tally.hit("post", source.metric, day, raw)

    async def aclose(self) -> None:
        await self._client.aclose()
