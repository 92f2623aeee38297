"""The ledger of what was spent, and holds: shared by processes, never past a limit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Engine

from metrics_pipeline.control.holds import EVERY_ACCOUNT, HoldRecord, current_holds, keep_hold, release_holds
from metrics_pipeline.control.usage import spend, used

TODAY = date(2026, 3, 18)
NOW = datetime(2026, 3, 18, 10, tzinfo=UTC)


def test_amounts_add_up_by_day_and_item(engine: Engine) -> None:
    assert spend(engine, "x", TODAY, "usd", 0.1)
    assert spend(engine, "x", TODAY, "usd", 0.2)
    assert spend(engine, "x", TODAY + timedelta(days=1), "usd", 5)
    assert spend(engine, "youtube", TODAY, "units", 3)
    assert {item: round(amount, 6) for item, amount in used(engine, "x", TODAY).items()} == {"usd": 0.3}


def test_a_limit_is_reached_and_never_passed(engine: Engine) -> None:
    assert spend(engine, "x", TODAY, "usd", 0.7, limit=1)
    assert not spend(engine, "x", TODAY, "usd", 0.4, limit=1)
    assert spend(engine, "x", TODAY, "usd", 0.3, limit=1)
    assert not spend(engine, "x", TODAY, "usd", 0.001, limit=1)
    assert spend(engine, "x", TODAY, "usd", -0.5, limit=1), "what was not needed is given back"
    assert spend(engine, "x", TODAY, "usd", 0.5, limit=1)


def test_many_at_once_get_exactly_what_there_is(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        granted = list(pool.map(lambda _: spend(engine, "x", TODAY, "calls", 1, limit=25), range(60)))
    assert granted.count(True) == 25
    assert used(engine, "x", TODAY) == {"calls": 25}


def test_a_hold_ends_by_itself_or_when_it_is_released(engine: Engine) -> None:
    keep_hold(engine, HoldRecord("linkedin", EVERY_ACCOUNT, NOW + timedelta(hours=3), "quota"))
    keep_hold(engine, HoldRecord("linkedin", EVERY_ACCOUNT, NOW + timedelta(hours=1), "an earlier end"))
    keep_hold(engine, HoldRecord("x", ("w", "a"), NOW + timedelta(hours=1), "window"))
    found = current_holds(engine, NOW)
    assert [(h.platform, h.account, h.reason) for h in found] == [
        ("linkedin", EVERY_ACCOUNT, "quota"),
        ("x", ("w", "a"), "window"),
    ]
    assert [h.platform for h in current_holds(engine, NOW + timedelta(hours=2))] == ["linkedin"]
    assert current_holds(engine, NOW + timedelta(hours=3)) == []
    assert release_holds(engine, "linkedin") == 1
    assert current_holds(engine, NOW, "linkedin") == []
