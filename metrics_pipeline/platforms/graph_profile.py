"""Levels that stand in the fields of an account's own Graph object."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from metrics_pipeline.catalog.models import SourceMetric
from metrics_pipeline.platforms.contract import AccountResult
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.readings import reading


async def read_levels(
    session: Session,
    path: str,
    name_field: str,
    sources: Sequence[SourceMetric],
    day: date,
    result: AccountResult,
    tally: Tally,
) -> None:
    """One reading per source that the object has a number for; the others stay unknown."""
    for source in sources:
        tally.plan("account", source.metric, day)
    names = ",".join(["id", name_field, *(s.source for s in sources)])
    answer = await session.get(path, {"fields": names})
    with Fields(answer.body, "profile", result.unknown_fields) as profile:
        profile.ignore("id", name_field)
        for source in sources:
            raw = profile.number(source.source)
            if raw is not None:
                result.readings.append(reading(source, day, raw))
                tally.hit("account", source.metric, day, raw)
