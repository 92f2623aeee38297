"""Where a workspace or an account stands: the newest day that has numbers of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

from metrics_pipeline.api.live.messages import Channel
from metrics_pipeline.api.problems import LakeUnavailable
from metrics_pipeline.api.reading.connection import ReadConnection

_TABLE = "daily_metrics"
_DAY = re.compile(r"/date=(\d{4}-\d\d-\d\d)/")
_STATEMENT = """
    select max(date) as day from some_days
    where workspace_id = $workspace_id and ($account_id is null or account_id = $account_id)
"""
# Nearly everybody has numbers of the last days: files of older ones are opened for the others only.
_FIRST_DAYS = 3
_REMEMBERED = 10_000


class Standing:
    """Answers are remembered for a version of the table. From several threads."""

    def __init__(self, reads: ReadConnection) -> None:
        self._reads = reads
        self._found: dict[tuple[Channel, int], date | None] = {}

    def newest_day(self, channel: Channel) -> date | None:
        """The newest day with a row; None where there is none, or none that can be read now."""
        try:
            handle = self._reads.tables.table(_TABLE)
        except LakeUnavailable:
            return None
        if handle is None:
            return None
        key = (channel, handle.version())
        if key not in self._found:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            try:
                self._found[key] = self._look(channel, handle.file_uris())
            except LakeUnavailable:
                return None
        return self._found[key]

    def _look(self, channel: Channel, uris: Iterable[str]) -> date | None:
        for files in _newest_first(uris):
            with self._reads.session(_TABLE) as session:
                handle = self._reads.tables.tables(_TABLE)[_TABLE]
                session.show("some_days", _TABLE, handle, files)
                parameters = {"workspace_id": channel.workspace_id, "account_id": channel.account_id}
                day = session.run(_STATEMENT, parameters).read_all()["day"][0].as_py()
            if isinstance(day, date):
                return day
        return None


def _newest_first(uris: Iterable[str]) -> Iterator[set[str]]:
    """The files of the newest days, then those of four times as many, and so on."""
    by_day: dict[str, set[str]] = {}
    for uri in uris:
        if found := _DAY.search(uri):
            by_day.setdefault(found[1], set()).add(uri)
    days = sorted(by_day, reverse=True)
    size = _FIRST_DAYS
    while days:
        yield set().union(*(by_day[day] for day in days[:size]))
        days, size = days[size:], size * 4
