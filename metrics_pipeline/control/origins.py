"""Origins of web pages, as a browser names them: scheme, host and, unless it is the usual one, port."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from metrics_pipeline.errors import UserError

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_USUAL_PORTS = {"http": 80, "https": 443}


def checked_origins(origins: Collection[str]) -> tuple[str, ...]:
    """Every origin once, in the form browsers send.

    Raises:
        UserError: one is no origin. `*` is none: a key that anyone's page may use protects nothing.
    """
    return tuple(dict.fromkeys(_checked(origin) for origin in origins))


def _checked(origin: str) -> str:
    sentence = f"{origin[:80]!r} is no origin; write it as a browser does, such as https://app.example.com"
    try:
        parts = urlsplit(origin.strip().lower())
        port = parts.port
    except ValueError:
        raise UserError(sentence) from None
    host = parts.netloc.rsplit(":", 1)[0] if port is not None else parts.netloc
    if parts.scheme not in _USUAL_PORTS or not _HOST.fullmatch(host) or parts.path not in ("", "/"):
        raise UserError(sentence)
    if parts.query or parts.fragment:
        raise UserError(sentence)
    return f"{parts.scheme}://{host}" + ("" if port in (None, _USUAL_PORTS[parts.scheme]) else f":{port}")
