"""Tokens for a collection: refreshed before they end, or when the platform refuses them, once at a time."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Engine as ControlEngine

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.catalog.oauth import OAuth
from metrics_pipeline.control.accounts import AccountRecord
from metrics_pipeline.control.key_ring import KeyRing
from metrics_pipeline.control.token_bundle import TokenBundle
from metrics_pipeline.control.token_refresh import claim_refresh, keep_refreshed, read_bundle, release_refresh
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.oauth import Grant
from metrics_pipeline.settings import Settings

# Longer than every try of a refresh takes together; after it a refresher that died no longer stands in the way.
LEASE = timedelta(minutes=5)
POLL_SECONDS = 0.2

Refresh = Callable[[PlatformSpec, Settings, str, str], Awaitable[Grant]]


@dataclass(frozen=True)
class TokenKeeper:
    """The tokens of one platform's accounts."""

    spec: PlatformSpec
    settings: Settings
    control: ControlEngine
    ring: KeyRing
    refresh_at_platform: Refresh

    async def current(self, record: AccountRecord) -> TokenBundle:
        """The account's tokens, refreshed first if the access token ends soon and can be refreshed.

        Raises:
            UserError: none are stored, or they cannot be decrypted.
            PlatformError: the refresh failed and the access token has ended.
        """
        now = self.settings.clock.now()
        bundle = self._read(record)
        oauth = self._oauth
        if oauth is None or self._presented(bundle) is None:
            return bundle
        ends = [bundle.expires_at, bundle.refresh_expires_at if oauth.extends_presented else None]
        soon = now + timedelta(minutes=oauth.refresh_before_minutes)
        if not any(end is not None and end <= soon for end in ends):
            return bundle
        try:
            return await self.renewed(record, bundle)
        except PlatformError:
            if bundle.expires_at is None or now < bundle.expires_at:
                return bundle  # still good for this run; the next one tries again
            raise

    def can_renew(self, bundle: TokenBundle) -> bool:
        """Whether a refused access token may be replaced: not where it would have to be presented itself."""
        oauth = self._oauth
        return oauth is not None and oauth.presents == "refresh_token" and bundle.refresh_token is not None

    async def renewed(self, record: AccountRecord, stale: TokenBundle) -> TokenBundle:
        """A newer pair than `stale`, from whoever refreshes first. It is stored before anybody uses it.

        Raises:
            PlatformError: the platform gives no new token.
        """
        owner = uuid.uuid4().hex
        key = (record.workspace_id, record.account_id)
        deadline = time.monotonic() + LEASE.total_seconds()
        while not claim_refresh(self.control, *key, owner, now=self.settings.clock.now(), lease=LEASE):
            await asyncio.sleep(POLL_SECONDS)
            if self._read(record).access_token != stale.access_token:
                return self._read(record)
            if time.monotonic() > deadline:
                raise PlatformError(Act.RETRY, "another process has been refreshing the token for too long")
        bundle = self._read(record)
        try:
            if bundle.access_token != stale.access_token:
                return bundle
            return await self._renew(record, bundle, owner)
        finally:
            release_refresh(self.control, *key, owner)

    async def _renew(self, record: AccountRecord, bundle: TokenBundle, owner: str) -> TokenBundle:
        presented = self._presented(bundle)
        if presented is None:
            raise PlatformError(Act.REAUTH, "the token has ended and there is none to refresh it with")
        grant = await self.refresh_at_platform(self.spec, self.settings, presented, record.external_id)
        now = self.settings.clock.now()
        fresh = TokenBundle(
            grant.access_token,
            grant.refresh_token or bundle.refresh_token,
            now + timedelta(seconds=grant.expires_in) if grant.expires_in else None,
            bundle.refresh_expires_at,
        )
        if grant.refresh_expires_in:
            fresh = replace(fresh, refresh_expires_at=now + timedelta(seconds=grant.refresh_expires_in))
        key = (record.workspace_id, record.account_id)
        if not keep_refreshed(self.control, self.ring, *key, fresh, owner, now=now):
            raise PlatformError(Act.RETRY, "the account's token was replaced while it was being refreshed")
        return fresh

    @property
    def _oauth(self) -> OAuth | None:
        return self.spec.oauth_under(self.settings)

    def _presented(self, bundle: TokenBundle) -> str | None:
        """What the token endpoint wants to see."""
        is_exchange = self._oauth is not None and self._oauth.presents == "access_token"
        return bundle.access_token if is_exchange else bundle.refresh_token

    def _read(self, record: AccountRecord) -> TokenBundle:
        now = self.settings.clock.now()
        return read_bundle(self.control, self.ring, record.workspace_id, record.account_id, now)
