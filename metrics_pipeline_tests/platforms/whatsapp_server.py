"""A WhatsApp Business account on loopback: one day of everything, each part replaceable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from metrics_pipeline.windows import Window
from metrics_pipeline_tests.platforms.loopback import Asked, Reply

DAYS = Window.of_days(date(2026, 11, 18), date(2026, 11, 19))


def unix(text: str) -> int:
    """The Unix seconds of a UTC instant: "2026-11-18 08:00"."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def span(start: str, end: str) -> dict[str, int]:
    return {"start": unix(start), "end": unix(end)}


# 18 November as a day in Los Angeles and in UTC.
PACIFIC_DAY = span("2026-11-18 08:00", "2026-11-19 08:00")
UTC_DAY = span("2026-11-18 00:00", "2026-11-19 00:00")


@dataclass
class WhatsAppServer:
    """`fields` are the account's own and its analytics, `points` those of template_analytics by template.

    An entry of `answers` replaces the answer to a request that names it.
    """

    templates: list[str] = field(default_factory=lambda: ["1"])
    fields: dict[str, object] = field(
        default_factory=lambda: {
            "name": "Shop",
            "currency": "BRL",
            "timezone_id": "1",
            "analytics": {"granularity": "DAY", "data_points": [{**PACIFIC_DAY, "sent": 90, "delivered": 80}]},
            "pricing_analytics": {"data": [{"data_points": [{**PACIFIC_DAY, "volume": 78, "cost": 2.5}]}]},
        }
    )
    points: list[dict[str, object]] = field(default_factory=list)
    answers: dict[str, Reply] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    page: int = 30

    def answer(self, asked: Asked) -> Reply:
        edge = asked.path.rpartition("/")[2]
        names = [part.split(".")[0] for part in asked.params.get("fields", "").split(",")]
        for name in (edge, names[0]):
            if name in self.answers:
                return self.answers[name]
        if edge == "message_templates":
            return Reply({"data": [{"id": one, "name": f"t{one}", "status": "APPROVED"} for one in self.templates]})
        if edge == "template_analytics":
            return self._points(asked)
        found = {name: self.fields[name] for name in names if name in self.fields}
        return Reply({**found, "id": "17001"}, headers=self.headers)

    def _points(self, asked: Asked) -> Reply:
        wanted = json.loads(asked.params["template_ids"])
        points = [point for point in self.points if point["template_id"] in wanted]
        first = int(asked.params.get("after", "0"))
        paging: dict[str, object] = {"cursors": {"before": str(first), "after": str(first + self.page)}}
        paging |= {"next": "https://example.org/?access_token=leak"} if first + self.page < len(points) else {}
        body: dict[str, object] = {"data": [{"granularity": "DAILY", "data_points": points[first : first + self.page]}]}
        return Reply({**body, "paging": paging})
