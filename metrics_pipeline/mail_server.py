"""A mail server as one URL names it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

Security = Literal["starttls", "tls", "off"]
DEFAULT_PORTS: dict[Security, int] = {"starttls": 587, "tls": 465, "off": 25}


@dataclass(frozen=True, slots=True)
class MailServer:
    """security: starttls (begins in clear text and must switch), tls (from the first byte), off."""

    host: str
    port: int
    security: Security
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> MailServer:
        """A server from `smtp://user:password@host:587`, `smtp://host?starttls=off` or `smtps://...`.

        Raises:
            ValueError: it is none of these; the message repeats nothing of the URL.
        """
        try:
            parts = urlsplit(url)
            port, query = parts.port, dict(parse_qsl(parts.query, keep_blank_values=True))
        except ValueError:
            raise ValueError(_ADVICE) from None
        starttls = query.pop("starttls", "on")
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or query or starttls not in ("on", "off", ""):
            raise ValueError(_ADVICE)
        security: Security = "tls" if parts.scheme == "smtps" else "off" if starttls == "off" else "starttls"
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        return cls(parts.hostname, port or DEFAULT_PORTS[security], security, user, password)


_ADVICE = "write smtp://user:password@host:587 (?starttls=off for a server without it), or smtps://..."
