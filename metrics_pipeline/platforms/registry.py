"""The platforms this project can read: one YAML, one module and one line here each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx

from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.errors import UserError
from metrics_pipeline.platforms import facebook, instagram, linkedin, pinterest, threads, tiktok, whatsapp, x, youtube
from metrics_pipeline.platforms.contract import Adapter
from metrics_pipeline.platforms.dialect import Dialect
from metrics_pipeline.platforms.http import PlatformClient, Sleep
from metrics_pipeline.platforms.metering import Meter
from metrics_pipeline.settings import Settings

_Make = Callable[[PlatformSpec, Settings, PlatformClient], Adapter]

_PLATFORMS: dict[str, tuple[Dialect, _Make]] = {
    "facebook": (facebook.DIALECT, facebook.FacebookAdapter),
    "instagram": (instagram.DIALECT, instagram.InstagramAdapter),
    "linkedin": (linkedin.DIALECT, linkedin.LinkedInAdapter),
    "pinterest": (pinterest.DIALECT, pinterest.PinterestAdapter),
    "threads": (threads.DIALECT, threads.ThreadsAdapter),
    "tiktok": (tiktok.DIALECT, tiktok.TikTokAdapter),
    "whatsapp": (whatsapp.DIALECT, whatsapp.WhatsAppAdapter),
    "x": (x.DIALECT, x.XAdapter),
    "youtube": (youtube.DIALECT, youtube.YouTubeAdapter),
}

PLATFORM_NAMES: tuple[str, ...] = tuple(_PLATFORMS)


def build_adapter(
    name: str,
    settings: Settings,
    *,
    sleep: Sleep = asyncio.sleep,
    transport: httpx.AsyncBaseTransport | None = None,
    meter: Meter | None = None,
) -> Adapter:
    """A platform's adapter with its own connection pool; close it with `aclose` on the loop it was used on.

    meter: who counts its requests and may refuse them; without one nothing is counted.

    Raises:
        UserError: there is no such platform.
    """
    dialect, make = _known(name)
    spec = catalog().platforms[name]
    return make(spec, settings, PlatformClient(spec, dialect, settings, sleep=sleep, transport=transport, meter=meter))


def can_observe_past(name: str, settings: Settings) -> bool:
    """Whether the platform's base URL can answer for a past instant; no real platform's can.

    Raises:
        UserError: there is no such platform.
    """
    _known(name)
    return "{at}" in (settings.base_url(name) or "")


def known_platform(name: str) -> str:
    """The name, if there is such a platform.

    Raises:
        UserError: there is none.
    """
    _known(name)
    return name


def _known(name: str) -> tuple[Dialect, _Make]:
    if name not in _PLATFORMS:
        raise UserError(f"There is no platform {name!r}; known are {', '.join(PLATFORM_NAMES)}.")
    return _PLATFORMS[name]
