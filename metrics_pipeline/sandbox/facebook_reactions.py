"""Reactions by type: whole numbers that add up to their total, types without any left out."""

from __future__ import annotations

_TYPES = (("love", 0.16), ("haha", 0.05), ("wow", 0.03), ("sorry", 0.02), ("anger", 0.01))


def by_type(total: int) -> dict[str, int]:
    """A total split over the types; what the smaller ones leave are likes."""
    parts = {name: int(total * share) for name, share in _TYPES}
    parts = {"like": total - sum(parts.values()), **parts}
    return {name: count for name, count in parts.items() if count}
