"""What drivers give as what is declared; the reasons of refusals never hold the value."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from metrics_pipeline.application.values import MisfitError, converter
from metrics_pipeline.catalog.application import ApplicationColumn

BERLIN = ZoneInfo("Europe/Berlin")


def local(text: str) -> datetime:
    """A time without a zone."""
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("kind", "scale", "given", "wanted"),
    [
        ("string", 1, 17, "17"),
        ("string", 1, b"caf\xc3\xa9", "café"),
        ("string", 1, uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("string", 1, {"b": 1, "a": ["é", None]}, '{"a": ["é", null], "b": 1}'),
        ("string", 1, {"half": "\ud800"}, '{"half": "\\ud800"}'),
        ("string", 1, True, "true"),
        ("bigint", 1, True, 1),
        ("bigint", 1, "12", 12),
        ("bigint", 1, Decimal("12.00"), 12),
        ("bigint", 100, Decimal("12.34"), 1234),
        ("bigint", 100, 0.29, 29),
        ("bigint", 1, 2**63 - 1, 2**63 - 1),
        ("double", 1, Decimal("0.5"), 0.5),
        ("double", 1, 3, 3.0),
        ("boolean", 1, 1, True),
        ("boolean", 1, 0, False),
        ("boolean", 1, b"\x01", True),
        ("boolean", 1, "F", False),
        ("timestamp", 1, local("2026-07-01T12:00"), datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("timestamp", 1, "2026-07-01T12:00:00Z", datetime(2026, 7, 1, 12, tzinfo=UTC)),
        ("timestamp", 1, "2026-07-01 12:00:00.5+05:30", datetime(2026, 7, 1, 6, 30, 0, 500_000, tzinfo=UTC)),
        ("timestamp", 1, date(2026, 1, 2), datetime(2026, 1, 1, 23, tzinfo=UTC)),
        ("date", 1, "2026-07-01", date(2026, 7, 1)),
        ("date", 1, local("2026-07-01T23:30"), date(2026, 7, 1)),
        ("date", 1, datetime(2026, 7, 1, 23, 30, tzinfo=UTC), date(2026, 7, 2)),
    ],
)
def test_values_that_fit(kind: str, scale: int, given: object, wanted: object) -> None:
    made = converter(ApplicationColumn(type=kind, scale=scale), BERLIN)(given)
    assert made == wanted
    assert type(made) is type(wanted)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("string", b"\xff\xfe"),
        ("bigint", "hunter2"),
        ("bigint", 1.5),
        ("bigint", Decimal("NaN")),
        ("bigint", 2**63),
        ("bigint", "1e999999999"),
        ("bigint", local("2026-01-01T00:00")),
        ("double", "hunter2"),
        ("double", 10**400),
        ("boolean", 2),
        ("boolean", "perhaps"),
        ("timestamp", "0000-00-00 00:00:00"),
        ("timestamp", 1_770_000_000),
        ("timestamp", local("0001-01-01T00:00")),
        ("timestamp", "infinity"),
        ("date", "tomorrow"),
    ],
)
def test_values_that_do_not(kind: str, given: object) -> None:
    with pytest.raises(MisfitError) as caught:
        converter(ApplicationColumn(type=kind), BERLIN)(given)
    assert str(given) not in str(caught.value)
