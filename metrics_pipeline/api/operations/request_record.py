"""What becomes known of a request while it is answered; it goes with the request through every layer."""

from __future__ import annotations

import re
import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metrics_pipeline.api.auth import Caller

_SCOPE_KEY = "metrics_pipeline.request"
# W3C Trace Context: version, trace id, parent id, flags; a version we do not know may have more.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_LONGEST_TRACEPARENT = 128


@dataclass
class RequestRecord:
    """headers: what the answer carries, whatever it is."""

    trace_id: str
    caller: Caller | None = None
    headers: dict[str, str] = field(default_factory=dict)


def begin_record(scope: MutableMapping[str, Any], traceparent: str | None) -> RequestRecord:
    """The record of a request that begins."""
    record = scope[_SCOPE_KEY] = RequestRecord(trace_id_of(traceparent))
    return record


def record_of(scope: MutableMapping[str, Any]) -> RequestRecord:
    """The record of the request that is being answered."""
    found = scope.get(_SCOPE_KEY)
    return found if isinstance(found, RequestRecord) else begin_record(scope, None)


def trace_id_of(traceparent: str | None) -> str:
    """The trace that a request belongs to, 32 hexadecimal digits: the caller's, else one of its own."""
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent and len(traceparent) <= _LONGEST_TRACEPARENT else None
    return match[1] if match else secrets.token_hex(16)
