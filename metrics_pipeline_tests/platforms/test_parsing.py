"""Strict reading: numbers however they are sent, nothing invented, everything unknown reported."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.parsing import Fields, as_number, seconds_of


def test_absent_and_null_are_none_and_text_numbers_are_numbers() -> None:
    with Fields({"a": "10482", "b": None, "c": 3.5, "d": 0}, "x", set()) as fields:
        assert [fields.number(n) for n in ("a", "b", "c", "d", "e")] == [10482, None, 3.5, 0, None]


def test_ids_stay_text_even_when_sent_as_large_numbers() -> None:
    with Fields({"a": 1993000000000000001, "b": "0042", "c": ""}, "x", set()) as fields:
        assert [fields.identifier(n) for n in "abc"] == ["1993000000000000001", "0042", None]


def test_what_nobody_took_is_reported_by_its_path() -> None:
    unknown: set[str] = set()
    with Fields({"id": "1", "in": {"known": 1, "odd": 2}, "list": [{"q": 1}]}, "root", unknown) as fields:
        fields.identifier("id")
        inner = fields.child("in")
        assert inner is not None
        with inner:
            inner.number("known")
        for item in fields.children("list"):
            with item:
                pass
    assert unknown == {"root.in.odd", "root.list[].q"}


@pytest.mark.parametrize("value", [True, [], {}, "many", "nan", "inf", ""])
def test_a_wrong_type_names_the_field(value: object) -> None:
    fields = Fields({"likes": value}, "post", set())
    with pytest.raises(PlatformError, match=r"post\.likes should be a number") as caught:
        fields.number("likes")
    assert caught.value.act is Act.CONFIG


@pytest.mark.parametrize("value", [[], "text", None, 3])
def test_an_object_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(PlatformError, match="body should be an object"):
        Fields(value, "body", set())


@pytest.mark.parametrize(
    "text",
    ["2026-11-18T09:30:00+0000", "2026-11-18T09:30:00Z", "2026-11-18T09:30:00.000Z", "2026-11-18T10:30:00+01:00"],
)
def test_every_platforms_timestamp_is_utc(text: str) -> None:
    instant = Fields({"at": text}, "x", set()).instant("at")
    assert instant is not None
    assert instant.isoformat() == "2026-11-18T09:30:00+00:00"


def test_a_broken_timestamp_names_the_field() -> None:
    with pytest.raises(PlatformError, match=r"x\.at should be an instant"):
        Fields({"at": "yesterday"}, "x", set()).instant("at")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT4M5S", 245), ("PT1H", 3600), ("P1DT1S", 86401), ("P0D", 0), ("PT0.5S", 0.5), ("4:05", None), (None, None)],
)
def test_durations(text: str | None, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


@given(st.integers(-(10**15), 10**15))
def test_a_count_reads_the_same_as_number_and_as_text(count: int) -> None:
    assert as_number(count) == as_number(str(count)) == count
