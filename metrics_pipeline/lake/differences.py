"""On which days two sets of rows differ: by how many there are and a digest of them, whatever their order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from metrics_pipeline.lake.session import Session


def differing_days(session: Session, fresh: str, stale: str, day: str, columns: Sequence[str]) -> list[date]:
    """The days on which two relations of a session differ, in order.

    fresh, stale: names, or statements in parentheses. day: the expression of a row's day. columns: what is compared.
    """
    rows = session.run(differences(fresh, stale, day, columns)).read_all().column(0).to_pylist()
    return sorted(found for found in rows if isinstance(found, date))


def first_difference(
    session: Session, fresh: str, stale: str, keys: Sequence[str], instants: Sequence[str]
) -> date | None:
    """The day of the earliest instant that one relation's rows tell and the other's do not; None where none differs.

    keys: what identifies a row in both. instants: the columns that tell when something happened to it.
    """
    if not instants:
        return None
    same_key = " and ".join(f'f."{key}" = s."{key}"' for key in keys)
    told = ", ".join(
        f'case when f."{name}" is distinct from s."{name}" then least(f."{name}", s."{name}") end' for name in instants
    )
    statement = (
        f"select cast(min(least({told}, null)) as date) as day from {fresh} as f full join {stale} as s on {same_key}"  # noqa: S608 - names of our own
    )
    day = session.run(statement).read_all()["day"][0].as_py()
    return day if isinstance(day, date) else None


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
