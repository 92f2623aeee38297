"""A line for each request, where one is wanted: by route template, never by path, and with nobody's name in it."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from metrics_pipeline.api.auth import Caller
from metrics_pipeline.settings import Settings

LOGGER = "metrics_pipeline.api.requests"
_FIELDS = "fields"
# Of these the json log has the warnings as well; other libraries may say what was sent.
_OWN = ("metrics_pipeline", "uvicorn")


class RequestLog:
    """Writes lines to its logger, or none."""

    def __init__(self, settings: Settings) -> None:
        self._is_on = settings.api_log != "off"
        self._log = logging.getLogger(LOGGER)

    def tell(
        self, method: str, route: str, status: int | None, seconds: float, trace_id: str, caller: Caller | None
    ) -> None:
        """One request. Nothing that the client chose is written, but for the ids in its own traceparent."""
        if not self._is_on:
            return
        fields = {
            "method": method if method.isalpha() and len(method) <= 10 else "other",
            "route": route,
            "status": status,
            "milliseconds": round(seconds * 1000, 1),
            "trace_id": trace_id,
            "caller": None if caller is None else caller.name,
            "workspace": None if caller is None else caller.workspace_id,
        }
        self._log.info("request", extra={_FIELDS: fields})


def set_up_logs(settings: Settings) -> None:
    """Lines of requests on stderr, as METRICS_API_LOG says; with json also this project's warnings. For a process
    that only serves: logging belongs to the whole process.
    """
    if settings.api_log == "off":
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if settings.api_log == "json" else TextLines())
    requests = logging.getLogger(LOGGER)
    requests.setLevel(logging.INFO)
    requests.propagate = False
    requests.handlers = [handler]
    if settings.api_log == "json":
        for name in _OWN:
            own = logging.getLogger(name)
            own.setLevel(logging.WARNING)
            own.propagate = False
            own.handlers = [handler]


class TextLines(logging.Formatter):
    """`2026-11-20T14:07:31.402Z GET /v1/trending 200 3.1 ms key 8CgTSRme04 acme 4bf9...`"""

    def format(self, record: logging.LogRecord) -> str:
        """See Formatter."""
        fields = record.__dict__[_FIELDS]
        parts = (
            _time(record),
            fields["method"],
            fields["route"],
            fields["status"] or "aborted",
            f"{fields['milliseconds']} ms",
            fields["caller"] or "-",
            fields["workspace"] or "-",
            fields["trace_id"],
        )
        return " ".join(map(str, parts))


class JsonLines(logging.Formatter):
    """One JSON object a line. Of an error its type: its text may have what was sent."""

    def format(self, record: logging.LogRecord) -> str:
        """See Formatter."""
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **record.__dict__.get(_FIELDS, {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__qualname__
        return json.dumps(line)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
