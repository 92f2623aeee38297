"""On which days two sets of rows differ: by how many there are and a digest of them, whatever their order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metrics_pipeline.lake.engine import Session


def differing_days(session: Session, fresh: str, stale: str, day: str, columns: Sequence[str]) -> list[date]:
    """The days on which two relations of a session differ, in order.

    fresh, stale: names, or statements in parentheses. day: the expression of a row's day. columns: what is compared.
    """
    rows = session.run(differences(fresh, stale, day, columns)).read_all().column(0).to_pylist()
    return sorted(found for found in rows if isinstance(found, date))


def differences(fresh: str, stale: str, grp: str, columns: Sequence[str]) -> str:
    """The statement that gives each value of `grp` whose rows differ."""
    names = ", ".join(f'"{name}"' for name in columns)
    digest = f"count(*) as n, sum(hash({names})) as h"
    return f"""
        with
        fresh_digests as (select {grp} as grp, {digest} from {fresh} group by 1),
        stale_digests as (select {grp} as grp, {digest} from {stale} group by 1)
        select coalesce(f.grp, s.grp) as grp
        from fresh_digests as f full join stale_digests as s on f.grp = s.grp
        where f.n is distinct from s.n or f.h is distinct from s.h
    """  # noqa: S608 - names of our own
