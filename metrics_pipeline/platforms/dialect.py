"""How one platform speaks HTTP: its refusals, its quotas, its way to carry a token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from metrics_pipeline.platforms.errors import Answer, PlatformError


def bearer(_host: str, token: str) -> Mapping[str, str]:
    """The token as nearly every platform wants it."""
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one platform says no, how it announces a spent quota, and which header names the served version.

    quota_used_up gives the seconds to keep silent after an answer, None while calls are left; with
    limits_per_endpoint only the same endpoint is held back, else every call of the account. With ready_query the
    values of parameters are sent as they are: the adapter has encoded them as the platform wants them. credentials
    gives the header that carries the token, by the host's name in the platform's YAML.
    """

    classify: Callable[[Answer, datetime], PlatformError | None]
    quota_used_up: Callable[[Answer, datetime], float | None] = lambda _answer, _now: None
    version_header: str | None = None
    limits_per_endpoint: bool = False
    ready_query: bool = False
    credentials: Callable[[str, str], Mapping[str, str]] = bearer
    trailing_slash: bool = False  # whether every path of the platform ends with one
