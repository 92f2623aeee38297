"""What was spent per platform and day, counted so that several processes together never pass a limit."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError

from metrics_pipeline.control.database import reading, writing
from metrics_pipeline.control.models import Usage


def spend(engine: Engine, platform: str, day: date, item: str, amount: float, limit: float | None = None) -> bool:
    """Add an amount to a day's item; False, and nothing added, if that would pass the limit.

    A negative amount gives back what was reserved and not needed.
    """
    try:
        return _spend(engine, platform, day, item, amount, limit)
    except IntegrityError:  # another process began the day's item at the same moment
        return _spend(engine, platform, day, item, amount, limit)


def used(engine: Engine, platform: str, day: date) -> dict[str, float]:
    """Everything a platform's calls have used on one of its days of quota, by item."""
    with reading(engine) as session:
        rows = session.execute(select(Usage.item, Usage.amount).where(Usage.platform == platform, Usage.day == day))
        return {row.item: row.amount for row in rows}


def _spend(engine: Engine, platform: str, day: date, item: str, amount: float, limit: float | None) -> bool:
    with writing(engine) as session:
        row = session.get(Usage, (platform, day, item), with_for_update=True)
        used = row.amount if row is not None else 0.0
        # sums of cents are not exact: a rounding error is no reason to refuse the last one
        if limit is not None and amount > 0 and used + amount > limit + 1e-9:
            return False
        if row is None:
            session.add(Usage(platform=platform, day=day, item=item, amount=amount))
        else:
            row.amount = max(0.0, used + amount)
        return True
