"""Asking LinkedIn's Rest.li API: its headers, its way to write a query, its paging."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Literal
from urllib.parse import quote

from metrics_pipeline.platforms.contract import AccountResult
from metrics_pipeline.platforms.errors import Act, Answer, PlatformError
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.windows import DAY, midnight

PAGE_SIZE = 100


def urn_of(external_id: str) -> str:
    """The organization's URN; its bare number is accepted as well."""
    return external_id if external_id.startswith("urn:li:") else f"urn:li:organization:{external_id}"


def encoded(urn: str) -> str:
    """A URN inside a query or a path: percent-encoded whole, while the structure around it stays literal."""
    return quote(urn, safe="")


def list_of(urns: Iterable[str]) -> str:
    return f"List({','.join(encoded(urn) for urn in urns)})"


def intervals(first: date, last: date, granularity: Literal["DAY", "MONTH"]) -> str:
    """The days first..last as a query value: milliseconds at 00:00 UTC, the end excluded."""
    start, end = _milliseconds(midnight(first)), _milliseconds(midnight(last + DAY))
    return f"(timeRange:(start:{start},end:{end}),timeGranularityType:{granularity})"


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp()) * 1000


class LinkedInApi:
    """One account's session with what every request carries. Parameter values are encoded by the caller."""

    def __init__(self, session: Session, version: str, result: AccountResult) -> None:
        self._session = session
        self._headers = {"LinkedIn-Version": version, "X-Restli-Protocol-Version": "2.0.0"}
        self.result = result

    async def get(self, path: str, params: Mapping[str, str], method: str | None = None) -> Answer:
        headers = self._headers | ({"X-RestLi-Method": method} if method else {})
        return await self._session.get(f"/rest{path}", params, headers=headers)

    async def statistics(self, path: str, params: Mapping[str, str]) -> list[Fields]:
        """Every element of a statistics finder. They usually come in one page; a further one is announced by a link."""
        found: list[Fields] = []
        while True:
            paged = {"start": str(len(found)), "count": str(PAGE_SIZE)} if found else {}
            elements, has_next = elements_in(
                await self.get(path, {**params, **paged}), path, self.result.unknown_fields
            )
            found += elements
            if not has_next or not elements:
                return found


def elements_in(answer: Answer, path: str, unknown: set[str]) -> tuple[list[Fields], bool]:
    """The elements of a finder's page, and whether it links to a next one.

    Raises:
        PlatformError: config, when the answer has no list of elements: nothing may be concluded from it.
    """
    with Fields(answer.body, path.strip("/"), unknown) as body:
        if "elements" not in body.names():
            raise PlatformError(Act.CONFIG, f"{path} answered without elements")
        body.ignore("metadata")
        elements = body.children("elements")
        has_next = False
        paging = body.child("paging")
        if paging is not None:
            with paging:
                paging.ignore("start", "count", "total")
                for link in paging.children("links"):
                    has_next = has_next or link.text("rel") == "next"
        return elements, has_next
