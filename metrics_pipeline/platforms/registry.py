"""The platforms this project can read: one YAML, one module and one line here each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module

import httpx

from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.errors import UserError
from metrics_pipeline.platforms.contract import Adapter
from metrics_pipeline.platforms.dialect import Dialect
from metrics_pipeline.platforms.http import PlatformClient, Sleep
from metrics_pipeline.platforms.metering import Meter
from metrics_pipeline.settings import Settings

MakeAdapter = Callable[[PlatformSpec, Settings, PlatformClient], Adapter]

# The adapter's class in the module of the platform's name, where its DIALECT stands too.
ADAPTERS: dict[str, str] = {
    "facebook": "FacebookAdapter",
    "instagram": "InstagramAdapter",
    "linkedin": "LinkedInAdapter",
    "pinterest": "PinterestAdapter",
    "threads": "ThreadsAdapter",
    "tiktok": "TikTokAdapter",
    "whatsapp": "WhatsAppAdapter",
    "x": "XAdapter",
    "youtube": "YouTubeAdapter",
}

PLATFORM_NAMES: tuple[str, ...] = tuple(ADAPTERS)


def load_adapter(name: str) -> tuple[Dialect, MakeAdapter]:
    """A platform's dialect and its adapter's class. Its module is loaded now: no run needs those of other platforms.

    Raises:
        UserError: there is no such platform.
    """
    module = import_module(f"metrics_pipeline.platforms.{known_platform(name)}")
    dialect: Dialect = module.DIALECT
    make: MakeAdapter = getattr(module, ADAPTERS[name])
    return dialect, make


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
    dialect, make = load_adapter(name)
    spec = catalog().platforms[name]
    return make(spec, settings, PlatformClient(spec, dialect, settings, sleep=sleep, transport=transport, meter=meter))


def can_observe_past(name: str, settings: Settings) -> bool:
    """Whether the platform's base URL can answer for a past instant; no real platform's can.

    Raises:
        UserError: there is no such platform.
    """
    return "{at}" in (settings.base_url(known_platform(name)) or "")


def known_platform(name: str) -> str:
    """The name, if there is such a platform.

    Raises:
        UserError: there is none.
    """
    if name not in ADAPTERS:
        raise UserError(f"There is no platform {name!r}; known are {', '.join(PLATFORM_NAMES)}.")
    return name
