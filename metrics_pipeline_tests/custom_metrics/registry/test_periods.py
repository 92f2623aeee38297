"""Calendars of a workspace's own."""

from __future__ import annotations

from datetime import date

import pytest

from metrics_pipeline.custom_metrics.faults import DefinitionError
from metrics_pipeline.custom_metrics.registry.periods import DayRange
from metrics_pipeline.custom_metrics.registry.refusals import MetricNotFoundError, NotAllowedError
from metrics_pipeline.custom_metrics.registry.registry import Registry
from metrics_pipeline_tests.custom_metrics.registry.conftest import ADA, GUEST, READER, person

P1 = DayRange("P1", date(2026, 1, 4), date(2026, 2, 1))
P2 = DayRange("P2", date(2026, 2, 1), date(2026, 3, 1))
P3 = DayRange("P3", date(2026, 3, 15), date(2026, 4, 5))


def test_a_calendar_is_ordered_and_never_changes(registry: Registry) -> None:
    made = registry.add_calendar(ADA, "fiscal_2026", [P3, P1, P2])
    assert made.ranges == (P1, P2, P3)
    days = (date(2026, 1, 3), date(2026, 1, 31), date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 5))
    assert [made.range_of(day) for day in days] == [None, P1, P2, None, None]
    assert registry.add_calendar(ADA, "fiscal_2026", [P1, P2, P3]) == made
    with pytest.raises(DefinitionError, match="never changes: choose another name"):
        registry.add_calendar(ADA, "fiscal_2026", [P1])
    registry.remove_calendar(ADA, "fiscal_2026")
    assert registry.list_calendars(READER) == []
    with pytest.raises(DefinitionError, match="never changes"):
        registry.add_calendar(ADA, "fiscal_2026", [P1])
    assert registry.add_calendar(ADA, "fiscal_2026", [P1, P2, P3]) == made, "the same one comes back"


@pytest.mark.parametrize(
    ("name", "ranges", "codes"),
    [
        ("fiscal", [], {"field_invalid"}),
        ("month", [P1], {"field_invalid"}),
        ("F", [P1], {"field_invalid"}),
        ("fiscal", [P1, DayRange("x", date(2026, 1, 31), date(2026, 2, 1))], {"ranges_overlap"}),
        ("fiscal", [P1, DayRange("P1", P2.start, P2.end)], {"listed_twice"}),
        ("fiscal", [DayRange("P1", P1.end, P1.start), P3], {"range_empty"}),
        ("fiscal", [DayRange(" ", P1.start, P1.end)], {"field_invalid"}),
    ],
)
def test_what_is_no_calendar(registry: Registry, name: str, ranges: list[DayRange], codes: set[str]) -> None:
    with pytest.raises(DefinitionError) as caught:
        registry.add_calendar(ADA, name, ranges)
    assert {fault.code for fault in caught.value.faults} == codes


def test_who_may(registry: Registry) -> None:
    registry.add_calendar(ADA, "fiscal_2026", [P1])
    with pytest.raises(NotAllowedError):
        registry.add_calendar(READER, "mine", [P1])
    with pytest.raises(NotAllowedError):
        registry.list_calendars(GUEST)
    for actor in (person("ada", *ADA.roles, workspace="other"),):
        assert registry.list_calendars(actor) == []
        with pytest.raises(MetricNotFoundError):
            registry.remove_calendar(actor, "fiscal_2026")
