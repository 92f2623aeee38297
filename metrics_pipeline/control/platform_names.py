"""The platform names an account may carry."""

from __future__ import annotations

KNOWN_PLATFORMS: tuple[str, ...] = (
    "instagram",
    "facebook",
    "threads",
    "x",
    "linkedin",
    "youtube",
    "tiktok",
    "pinterest",
    "whatsapp",
)
