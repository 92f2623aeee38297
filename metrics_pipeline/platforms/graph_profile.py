"""Levels that stand in the fields of an account's own Graph object."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from metrics_pipeline.catalog.models import SourceMetric
from metrics_pipeline.platforms.contract import AccountResult, Profile
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.readings import reading


async def read_levels(
    session: Session,
    path: str,
    name_field: str,
    type_field: str | None,
    sources: Sequence[SourceMetric],
    day: date,
    result: AccountResult,
    tally: Tally,
) -> None:
    """One reading per source that the object has a number for, the others stay unknown; and the account's profile."""
    for source in sources:
        tally.plan("account", source.metric, day)
    names = ["id", name_field, *([type_field] if type_field else []), *(s.source for s in sources)]
    answer = await session.get(path, {"fields": ",".join(names)})
    with Fields(answer.body, "profile", result.unknown_fields) as profile:
        profile.ignore("id")
        result.profile = Profile(profile.text(name_field), profile.text(type_field) if type_field else None)
        for source in sources:
            raw = profile.number(source.source)
            if raw is not None:
                result.readings.append(reading(source, day, raw))
                tally.hit("account", source.metric, day, raw)
