"""TikTok: two unrelated APIs with tokens of their own; a setting says which one the accounts' tokens belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.platforms import tiktok_accounts
from metrics_pipeline.platforms.contract import Account, AccountResult, CollectionContext, State
from metrics_pipeline.platforms.dialect import Dialect, bearer
from metrics_pipeline.platforms.http import PlatformClient
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.tiktok_accounts import AccountsReader
from metrics_pipeline.platforms.tiktok_display import DisplayReader
from metrics_pipeline.platforms.tiktok_errors import classify
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

ONLY_ACCOUNTS = "the Display API has no such figure; the Accounts API has it (METRICS_TIKTOK_API)"


def credentials(host: str, token: str) -> Mapping[str, str]:
    """The Accounts API takes the bare token and calls one with `Bearer` before it revoked."""
    return {"Access-Token": token} if host == tiktok_accounts.HOST else bearer(host, token)


DIALECT = Dialect(classify, limits_per_endpoint=True, credentials=credentials, trailing_slash=True)


class TikTokAdapter:
    """One account is the open_id that came with its token, and that token."""

    name = "tiktok"

    def __init__(self, spec: PlatformSpec, settings: Settings, client: PlatformClient) -> None:
        self._spec = spec
        self._settings = settings
        self._client = client

    async def counters(self, account: Account, context: CollectionContext, result: AccountResult) -> None:
        session = self._client.session(account, context.observed_at, result)
        with Tally(result) as tally:
            if self._settings.tiktok_api == "accounts":
                reader = AccountsReader(session, account, self._spec, self._settings, result)
                await reader.counters(context, tally)
                return
            await DisplayReader(session, self._spec, result).read(account, context, tally)
            self._name_what_display_lacks(False, [context.observed_at.date()], tally)

    async def insights(
        self, account: Account, window: Window, context: CollectionContext, result: AccountResult
    ) -> None:
        session = self._client.session(account, context.now, result)
        days = [day for day in window.days() if day <= context.now.date()]
        with Tally(result) as tally:
            if self._settings.tiktok_api == "accounts":
                reader = AccountsReader(session, account, self._spec, self._settings, result)
                await reader.series(days, context.now, tally)
            else:
                self._name_what_display_lacks(True, days, tally)

    def _name_what_display_lacks(self, series: bool, days: Sequence[date], tally: Tally) -> None:
        """An outcome for every metric that only the other API has."""
        sources = [s for s in self._spec.sources if (s.kind == "series") == series]
        given = {(s.level, s.metric) for s in sources if s.api.startswith("display_")}
        for level, metric in dict.fromkeys((s.level, s.metric) for s in sources):
            if (level, metric) not in given:
                for day in days:
                    tally.miss(level, metric, day, State.NOT_SUPPORTED, ONLY_ACCOUNTS)

    async def aclose(self) -> None:
        await self._client.aclose()
