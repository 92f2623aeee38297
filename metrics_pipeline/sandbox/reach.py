"""Distinct people: a bending curve of views, so that uniques obey the laws real ones do."""

from __future__ import annotations

from math import ceil, expm1

_PEOPLE_PER_FOLLOWER = 2.5
_FIRST_SIGHT = 0.8


def people(count: int, audience: float) -> int:
    """How many distinct people make `count` views or actions in one window.

    Never above the count; grows with it; and because the curve bends and the result is rounded up, a long window
    has at most the sum of its parts and at least its largest part.
    """
    if count <= 0:
        return 0
    crowd = _PEOPLE_PER_FOLLOWER * audience
    return min(ceil(-crowd * expm1(-_FIRST_SIGHT * count / crowd)), count)
