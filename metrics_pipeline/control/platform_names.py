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

# Accounts of these are collected over the platform's API; the others' numbers come in by file import.
CONNECTABLE_PLATFORMS: frozenset[str] = frozenset(
    {"facebook", "instagram", "linkedin", "pinterest", "threads", "tiktok", "whatsapp", "x", "youtube"}
)
