"""LinkedIn: followers of a page, totals of its posts, and the page's daily series."""

from __future__ import annotations

from datetime import date

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.platforms.contract import Account, AccountResult, CollectionContext
from metrics_pipeline.platforms.dialect import Dialect
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.http import PlatformClient
from metrics_pipeline.platforms.linkedin_api import LinkedInApi, encoded, urn_of
from metrics_pipeline.platforms.linkedin_errors import classify
from metrics_pipeline.platforms.linkedin_posts import PostTotals, list_posts, look_up
from metrics_pipeline.platforms.linkedin_statistics import PageSeries
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import reading
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

DIALECT = Dialect(classify, ready_query=True)


class LinkedInAdapter:
    """One account is an organization's number and the OAuth token of a member who administers its page."""

    name = "linkedin"

    def __init__(self, spec: PlatformSpec, settings: Settings, client: PlatformClient) -> None:
        self._spec = spec
        self._settings = settings
        self._client = client

    async def counters(self, account: Account, context: CollectionContext, result: AccountResult) -> None:
        session = self._client.session(account, context.observed_at, result)
        api = LinkedInApi(session, self._settings.linkedin_version, result)
        organization = urn_of(account.external_id)
        patience = Patience()
        with Tally(result) as tally:
            if context.reads_account:
                await self._followers(api, organization, context.observed_at.date(), patience, tally)
            if not context.reads_posts:
                return
            sources = self._spec.select("post", api="post_statistics")
            try:
                posts = await list_posts(api, organization, context.oldest) if context.oldest is not None else []
            except PlatformError as error:
                if error.act is not Act.PERMISSION:
                    raise
                for source in sources:  # posts need a scope of their own; the followers above stay
                    tally.refuse("post", source.metric, context.observed_at.date(), error)
                return
            result.posts += posts
            missing = sorted(set(context.known_posts) - {post.post_id for post in posts})
            there, gone = await look_up(api, missing, patience)
            result.posts += there + gone
            totals = PostTotals(api, organization, sources, patience, context.observed_at)
            await totals.read(posts + there, result, tally)

    async def insights(
        self, account: Account, window: Window, context: CollectionContext, result: AccountResult
    ) -> None:
        days = [day for day in window.days() if day <= context.now.date()]
        session = self._client.session(account, context.now, result)
        api = LinkedInApi(session, self._settings.linkedin_version, result)
        with Tally(result) as tally:
            await PageSeries(api, urn_of(account.external_id), self._spec, context.now, result).read(days, tally)

    async def _followers(
        self, api: LinkedInApi, organization: str, day: date, patience: Patience, tally: Tally
    ) -> None:
        """The total comes from one place only and has no history."""
        sources = self._spec.select("account", "gauge", "network_sizes")
        for source in sources:
            tally.plan("account", source.metric, day)
        try:
            answer = await api.get(f"/networkSizes/{encoded(organization)}", {"edgeType": "COMPANY_FOLLOWED_BY_MEMBER"})
        except PlatformError as error:
            patience.weigh(error)
            for source in sources:
                tally.refuse("account", source.metric, day, error)
            return
        patience.succeeded()
        with Fields(answer.body, "networkSizes", api.result.unknown_fields) as body:
            for source in sources:
                raw = body.number(source.source)
                if raw is not None:
                    api.result.readings.append(reading(source, day, raw))
                    tally.hit("account", source.metric, day, raw)

    async def aclose(self) -> None:
        await self._client.aclose()
