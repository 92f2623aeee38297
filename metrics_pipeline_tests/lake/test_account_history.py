"""sql/merge/account_history.sql: versions of accounts follow from all facts, whenever and however often they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.collection.account_history import merge_facts
from metrics_pipeline.lake.account_tables import ACCOUNT_HISTORY
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.aggregation.memory_engine import MemoryEngine

START = datetime(2026, 3, 3, tzinfo=UTC)
Version = tuple[datetime, datetime | None, str | None, str | None, str | None]


@dataclass(frozen=True)
class Seen:
    """A profile that was read at an hour."""

    hour: int
    name: str | None
    kind: str | None = None


@dataclass(frozen=True)
class Became:
    """A status that was given at an hour, as the change of this number; clocks of two machines may disagree."""

    hour: int
    status: str
    number: int


Fact = Seen | Became


@pytest.fixture(scope="module")
def memory() -> MemoryEngine:
    return MemoryEngine()


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def row(fact: Fact, account: str = "a") -> dict[str, object]:
    key = {"workspace_id": "w", "platform": "x", "account_id": account, "external_id": f"x-{account}"}
    if isinstance(fact, Seen):
        instants = {"profile_read_at": at(fact.hour), "profile_confirmed_at": at(fact.hour)}
        return {**key, "name": fact.name, "account_type": fact.kind, **instants}
    return {**key, "status": fact.status, "status_at": at(fact.hour), "status_number": fact.number}


def merge(memory: MemoryEngine, *facts: Fact, account: str = "a") -> None:
    rows = pa.Table.from_pylist([row(fact, account) for fact in facts], schema=ACCOUNT_HISTORY.schema)
    merge_facts(memory, "x", rows)


def versions(memory: MemoryEngine, account: str = "a") -> list[Version]:
    rows = [r for r in memory.tables["account_history"].to_pylist() if r["account_id"] == account]
    assert [r["is_current"] for r in rows] == [False] * (len(rows) - 1) + [True] * bool(rows)
    assert {r["external_id"] for r in rows} <= {f"x-{account}"}
    return [(r["valid_from"], r["valid_to"], r["name"], r["account_type"], r["status"]) for r in rows]


def expected(facts: Sequence[Fact]) -> list[Version]:
    """The oracle: walk through time, and begin a version where something is different."""
    found: list[tuple[datetime, str | None, str | None, str | None]] = []
    name = kind = status = None
    for hour in sorted({fact.hour for fact in facts}):
        for fact in facts:
            if isinstance(fact, Seen) and fact.hour == hour:
                name, kind = fact.name or name, fact.kind or kind
        changes = [fact for fact in facts if isinstance(fact, Became) and fact.hour == hour]
        if changes:
            status = max(changes, key=lambda change: change.number).status
        if not found or found[-1][1:] != (name, kind, status):
            found.append((at(hour), name, kind, status))
    starts: list[datetime | None] = [*(start for start, *_ in found), None]
    return [(*one[:1], end, *one[1:]) for one, end in zip(found, starts[1:], strict=True)]


_hours = st.integers(0, 12)
_seen = st.lists(
    st.builds(Seen, _hours, st.sampled_from("AB"), st.sampled_from(["k", "l"])), max_size=6, unique_by=lambda s: s.hour
)
_became = st.lists(st.tuples(_hours, st.sampled_from(["connected", "disabled", "removed"])), max_size=5)


@histories(15)
@given(seen=_seen, became=_became, data=st.data())
def test_one_history_follows_from_all_facts_however_they_are_mixed_and_repeated(
    memory: MemoryEngine, seen: list[Seen], became: list[tuple[int, str]], data: st.DataObject
) -> None:
    changes = [Became(hour, status, number) for number, (hour, status) in enumerate(became)]
    reads = sorted(seen, key=lambda s: s.hour)
    order: list[bool] = data.draw(st.permutations([True] * len(reads) + [False] * len(changes)))
    delivered: list[list[Fact]] = []
    numbers = {True: 0, False: 0}
    memory.clear()
    for is_read in order:
        numbers[is_read] += 1
        # a run brings its own reads, and always every change of status until then
        facts: list[Fact] = [reads[numbers[True] - 1]] if is_read else [*changes[: numbers[False]]]
        merge(memory, *facts)
        # what was read comes again at any time, as in a replay
        delivered = [*delivered, facts] if is_read else [*[f for f in delivered if isinstance(f[0], Seen)], facts]
        merge(memory, *data.draw(st.sampled_from(delivered)))
    assert versions(memory) == expected([*reads, *changes])


def test_a_late_read_lies_where_it_belongs(memory: MemoryEngine) -> None:
    memory.clear()
    merge(memory, Seen(1, "A"), Became(5, "disabled", 1))
    merge(memory, Seen(3, "B"))
    assert versions(memory) == [
        (at(1), at(3), "A", None, None),
        (at(3), at(5), "B", None, None),
        (at(5), None, "B", None, "disabled"),
    ]


def test_a_corrected_parser_replaces_what_the_old_one_read(memory: MemoryEngine) -> None:
    memory.clear()
    merge(memory, Seen(1, "wrong"))
    merge(memory, Seen(1, "right"))
    assert versions(memory) == [(at(1), None, "right", None, None)]


def test_what_a_platform_leaves_out_is_no_change(memory: MemoryEngine) -> None:
    memory.clear()
    merge(memory, Seen(1, "A", "business"))
    merge(memory, Seen(2, "A"))
    merge(memory, Seen(3, None, "creator"))
    assert versions(memory) == [(at(1), at(3), "A", "business", None), (at(3), None, "A", "creator", None)]


def test_the_change_is_named_and_the_last_sight_kept(memory: MemoryEngine) -> None:
    memory.clear()
    merge(memory, Became(0, "connected", 1), Seen(1, "A", "k"), Seen(2, "A", "k"), Seen(4, "B", "l"))
    rows = memory.tables["account_history"].to_pylist()
    assert [r["changed"] for r in rows] == [None, "name, account_type", "name, account_type"]
    assert [r["profile_confirmed_at"] for r in rows] == [None, at(2), at(4)]


def test_accounts_do_not_touch_each_other(memory: MemoryEngine) -> None:
    memory.clear()
    merge(memory, Seen(1, "A"))
    before = versions(memory)
    merge(memory, Seen(2, "C"), Became(3, "removed", 9), account="b")
    assert versions(memory) == before
    assert len(versions(memory, "b")) == 2
