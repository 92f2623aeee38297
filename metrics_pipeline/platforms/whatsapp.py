"""WhatsApp Business accounts: their templates now, daily series of the account and of each template."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from metrics_pipeline.catalog.models import PlatformSpec, SourceMetric
from metrics_pipeline.platforms import whatsapp_errors
from metrics_pipeline.platforms.contract import Account, AccountResult, CollectionContext, Post
from metrics_pipeline.platforms.errors import PlatformError
from metrics_pipeline.platforms.graph_errors import of_whole_account
from metrics_pipeline.platforms.graph_posts import Found, PostFinder
from metrics_pipeline.platforms.http import PlatformClient, Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import reading
from metrics_pipeline.platforms.whatsapp_account import WabaSeries, read_waba
from metrics_pipeline.platforms.whatsapp_templates import TEMPLATE_FIELDS, TemplateSeries, template
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

DIALECT = whatsapp_errors.DIALECT


class WhatsAppAdapter:
    """One account is the id of a WhatsApp Business account (WABA) and a token that may manage it."""

    name = "whatsapp"

    def __init__(self, spec: PlatformSpec, settings: Settings, client: PlatformClient) -> None:
        self._spec = spec
        self._settings = settings
        self._client = client
        self._version = settings.whatsapp_graph_version

    async def counters(self, account: Account, context: CollectionContext, result: AccountResult) -> None:
        """The templates, and how many there are: the only figures WhatsApp shows of the present."""
        session = self._client.session(account, context.observed_at, result)
        day = context.observed_at.date()
        with Tally(result) as tally:
            gauges = self._spec.select("account", "gauge") if context.reads_account else []
            for source in gauges:
                tally.plan("account", source.metric, day)
            # The list is the account's own figure, also when no template is due; without it only known ones are asked.
            edges = self._edges(account) if gauges else []
            try:
                found = await self._finder(session, Patience(), result).find(edges, context.known_posts)
            except PlatformError as error:
                raise of_whole_account(error) from None
            self._count(gauges, found, day, result, tally)

    async def insights(
        self, account: Account, window: Window, context: CollectionContext, result: AccountResult
    ) -> None:
        """The account's series by the days of its own zone, the templates' by UTC days."""
        session = self._client.session(account, context.now, result)
        path = f"/{self._version}/{account.external_id}"
        patience = Patience()
        days = [day for day in window.days() if day <= context.now.date()]
        with Tally(result) as tally:
            try:
                waba = await read_waba(session, path, self._settings.whatsapp_time_zones, result)
            except PlatformError as error:
                raise of_whole_account(error) from None
            series = WabaSeries(session, path, waba, self._spec, context, patience, result)
            await series.read(days, tally)
            templates = TemplateSeries(session, path, waba.currency, self._spec, context, patience, result)
            try:
                # Known templates that are listed no more have no series either: none is looked up here.
                found = await self._finder(session, patience, result).find(self._edges(account), ())
            except PlatformError as failure:
                templates.refuse(days, whatsapp_errors.weigh(failure, patience), 1, tally)
                return
            await templates.read([one.post for one in found.posts], days, tally)

    def _edges(self, account: Account) -> list[tuple[str, datetime | None]]:
        """The one list of all templates; they have no age to stop at."""
        return [(f"/{self._version}/{account.external_id}/message_templates", None)]

    def _finder(self, session: Session, patience: Patience, result: AccountResult) -> PostFinder:
        return PostFinder(session, self._version, TEMPLATE_FIELDS, template, "template", patience, result)

    def _count(
        self, gauges: Sequence[SourceMetric], found: Found, day: date, result: AccountResult, tally: Tally
    ) -> None:
        for source in gauges:
            if found.refusal is not None:
                tally.refuse("account", source.metric, day, found.refusal)
                continue
            status = source.source.partition(".")[2]
            count = float(sum(status in ("", _status(one.post)) for one in found.posts))
            result.readings.append(reading(source, day, count))
            tally.hit("account", source.metric, day, count)

    async def aclose(self) -> None:
        await self._client.aclose()


def _status(post: Post) -> str | None:
    status = post.metadata.get("status")
    return status if isinstance(status, str) else None
