"""Sketches of viewers: what they promise about order, repetition and error, and that no expiry loses a viewer."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics_pipeline.lake import maintenance
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.maintenance import Retention, maintain_table
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.lake.viewer_sketches import estimate, fold_viewers, folded
from metrics_pipeline.windows import DAY

TODAY = date(2026, 3, 10)
RETENTION = Retention(responses_days=30, events_days=5)
OLDEST = TODAY - timedelta(days=5)
Viewers = dict[date, dict[str, set[int]]]


def hashes(count: int, seed: int) -> list[int]:
    rng = random.Random(seed)
    return [rng.getrandbits(64) - 2**63 for _ in range(count)]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 6000), st.integers(1, 8), st.integers(0, 2**32))
def test_any_split_in_any_order_with_any_repetition_estimates_the_same(count: int, parts: int, seed: int) -> None:
    rng = random.Random(seed)
    viewers = hashes(count, seed)
    whole = estimate(folded(None, viewers))
    split = [viewers[n::parts] for n in range(parts)]
    again = [*split, *rng.sample(split, rng.randint(0, parts))]
    rng.shuffle(again)
    sketch = folded(None, [])
    for part in again[1:]:
        sketch = folded(sketch, part)
    assert estimate(sketch, again[0]) == whole


def test_fifty_thousand_viewers_are_counted_within_the_bound_19_times_in_20() -> None:
    within = 0
    for seed in range(20):
        viewers = hashes(50_000, seed)
        sketch = folded(folded(None, viewers[:20_000]), viewers[15_000:40_000])
        assert len(sketch) < 9000
        found = estimate(sketch, viewers[35_000:])
        assert 0.01 < found.error_bound < 0.02
        within += abs(found.viewers - 50_000) <= 50_000 * found.error_bound
    assert within >= 19


def test_a_few_hundred_viewers_are_counted_exactly() -> None:
    found = estimate(folded(None, hashes(300, 1)), hashes(300, 1)[:100])
    assert found.viewers == 300
    assert found.error_bound < 0.001
    assert estimate(folded(None, [])).viewers == 0


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = Lake(str(tmp_path_factory.mktemp("sketches")))
    made.initialise()
    return made


@pytest.fixture(autouse=True)
def _empty(lake: Lake) -> None:
    empty(lake)


def empty(lake: Lake) -> None:
    for name in ("viewer_days", "viewer_sketches"):
        lake.delete(name, "true")


def store(lake: Lake, viewers: Viewers) -> None:
    """Replace these days of viewer_days."""
    spec = TABLES["viewer_days"]
    rows = [
        {"date": day, "workspace_id": "w", "content_id": item, "viewer_hash": viewer, "views": 1}
        for day, items in viewers.items()
        for item, people in items.items()
        for viewer in people
    ]
    days = Partitions(one_of=("date", list(viewers)))
    lake.replace("viewer_days", days, lambda _: pa.Table.from_pylist(rows, schema=spec.schema))


def sketches(lake: Lake) -> dict[str, tuple[int, date]]:
    with Engine(lake).session() as session:
        rows = session.run("select * from viewer_sketches").read_all().to_pylist()
    assert all((r["sketch_kind"], r["lg_k"], r["hash_version"]) == ("hll_4", 14, 1) for r in rows)
    return {r["content_id"]: (estimate(r["sketch"]).viewers, r["through_date"]) for r in rows}


def kept_days(lake: Lake) -> set[date]:
    with Engine(lake).session() as session:
        return {row["date"] for row in session.run("select distinct date from viewer_days").read_all().to_pylist()}


def maintain(lake: Lake, today: date = TODAY) -> None:
    maintain_table(lake, "viewer_days", today, RETENTION, vacuum_hours=24)


@settings(max_examples=8, deadline=None)
@given(
    st.dictionaries(
        st.integers(-8, 0),
        st.dictionaries(st.sampled_from("abc"), st.sets(st.integers(-50, 50), min_size=1), min_size=1),
        min_size=1,
    ),
    st.lists(st.integers(0, 6), max_size=3),
)
def test_whatever_expires_is_in_the_sketches_and_nothing_else(
    lake: Lake, days: dict[int, dict[str, set[int]]], runs: list[int]
) -> None:
    empty(lake)
    viewers = {TODAY + n * DAY: items for n, items in days.items()}
    store(lake, viewers)
    for later in sorted(runs):
        maintain(lake, TODAY + later * DAY)
        oldest = OLDEST + later * DAY
        assert kept_days(lake) == {day for day in viewers if day >= oldest}
        gone = {day: items for day, items in viewers.items() if day < oldest}
        expected = {
            item: (
                len(set().union(*(items.get(item, set()) for items in gone.values()))),
                max(day for day, items in gone.items() if item in items),
            )
            for item in {item for items in gone.values() for item in items}
        }
        assert sketches(lake) == expected


def test_a_crash_between_folding_and_deleting_does_not_matter(lake: Lake) -> None:
    old = OLDEST - DAY
    store(lake, {old: {"a": {1, 2, 3}}, TODAY: {"a": {3, 4}}})
    assert fold_viewers(lake, lake.table("viewer_days"), OLDEST) == 1
    assert kept_days(lake) == {old, TODAY}
    maintain(lake)
    assert kept_days(lake) == {TODAY}
    assert sketches(lake) == {"a": (3, old)}


def test_a_day_that_is_rebuilt_while_it_is_folded_is_folded_anew(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    old = OLDEST - DAY
    store(lake, {old: {"a": {1, 2}}, TODAY: {"a": {9}}})
    folds: list[int] = []

    def fold_late(*arguments: object) -> int:
        done = fold_viewers(*arguments)  # type: ignore[arg-type]  # passed on as they come
        if not folds:
            store(lake, {old: {"a": {1, 2, 3}}})
        folds.append(done)
        return done

    monkeypatch.setattr(maintenance, "fold_viewers", fold_late)
    maintain(lake)
    assert folds == [1, 1]
    assert sketches(lake) == {"a": (3, old)}
    assert kept_days(lake) == {TODAY}


def test_where_nothing_expires_no_sketch_is_written(lake: Lake) -> None:
    store(lake, {TODAY: {"a": {1}}})
    version = lake.version("viewer_sketches")
    maintain(lake)
    assert lake.version("viewer_sketches") == version
