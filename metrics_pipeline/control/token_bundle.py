"""What is stored for an account: an access token, and what it takes to get the next one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from metrics_pipeline.errors import UserError


@dataclass(frozen=True, slots=True)
class TokenBundle:
    """Tokens of one account; neither ever shows in a repr.

    expires_at and refresh_expires_at are None where the platform did not say.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None

    @classmethod
    def parse(cls, text: str, now: datetime) -> TokenBundle:
        """A bare access token, or the JSON object a token endpoint answers with (expires_in counts from `now`).

        Raises:
            UserError: it looks like JSON and is no such object.
        """
        text = text.strip()
        if not text.startswith("{"):
            return cls(text)
        try:
            content = json.loads(text)
        except json.JSONDecodeError:
            raise UserError("The token looks like JSON and is none: give the token endpoint's answer whole.") from None
        inner = content.get("data")  # where TikTok's Accounts API has them
        content = inner if isinstance(inner, dict) and "access_token" not in content else content
        access = content.get("access_token")
        refresh = content.get("refresh_token")
        if not isinstance(access, str) or not access or not isinstance(refresh, str | None):
            raise UserError("The token's JSON has no access_token: give the token endpoint's answer whole.")
        return cls(
            access,
            refresh,
            _instant(content, "expires_at", "expires_in", now),
            _instant(content, "refresh_expires_at", "refresh_expires_in", now)
            or _instant(content, "refresh_token_expires_at", "refresh_token_expires_in", now),
        )

    def dump(self) -> str:
        """What `parse` reads back; a bare token stays one."""
        if self.refresh_token is None and self.expires_at is None:
            return self.access_token
        content = {
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "expires_at": self.expires_at and self.expires_at.isoformat(),
            "refresh_expires_at": self.refresh_expires_at and self.refresh_expires_at.isoformat(),
        }
        return json.dumps({k: v for k, v in content.items() if v is not None})

    @property
    def valid_until(self) -> datetime | None:
        """The instant after which only the account's owner can help; None where nobody knows."""
        return self.refresh_expires_at if self.refresh_token is not None else self.expires_at


def _instant(content: Mapping[str, object], at: str, after: str, now: datetime) -> datetime | None:
    """An instant given as ISO text or Unix seconds, or as seconds from `now`."""
    value, seconds = content.get(at), content.get(after)
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, now.tzinfo)
        return now + timedelta(seconds=float(str(seconds))) if seconds is not None else None
    except (ValueError, OverflowError, OSError):
        raise UserError(f"The token's {at if value is not None else after} cannot be read.") from None
