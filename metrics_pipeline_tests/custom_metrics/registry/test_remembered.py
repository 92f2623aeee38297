"""What a process remembers of definitions: for some seconds, and never from before a change of its own."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from metrics_pipeline.custom_metrics.registry.refusals import MetricNotFoundError
from metrics_pipeline.custom_metrics.registry.registry import Registry
from metrics_pipeline.custom_metrics.registry.remembered import Remembered, RememberingRegistry
from metrics_pipeline_tests.custom_metrics.registry.conftest import ADA, CLOCK, CY, simple


def test_what_was_loaded_while_something_changed_is_loaded_again() -> None:
    remembered = Remembered()
    stored = ["before"]

    def load() -> str:
        found = stored[0]
        if found == "before":  # a change comes in between the reading and the remembering
            stored[0] = "after"
            remembered.forget()
        return found

    assert [remembered.get("key", load) for _ in range(3)] == ["before", "after", "after"]


def test_it_is_asked_again_after_some_seconds() -> None:
    now = [0.0]
    remembered = Remembered(5.0, lambda: now[0])
    numbers = iter(range(9))
    found = []
    for at in (0.0, 5.0, 5.1, 10.0):
        now[0] = at
        found.append(remembered.get("key", lambda: next(numbers)))
    assert found == [0, 0, 1, 1]


def test_own_changes_are_seen_at_once_and_others_soon(registry: Registry, engine: Engine) -> None:
    mine = RememberingRegistry(engine, CLOCK)
    mine.create(ADA, simple("sales", visibility="organization"))
    assert mine.readable(CY, "sales").version == 1
    mine.update(ADA, "sales", simple("sales", "amount * 2"), expected_version=1)
    assert (mine.readable(CY, "sales").version, mine.in_force("acme", "sales")[-1].version) == (2, 2)
    registry.set_visibility(ADA, "sales", "private", expected_version=2)  # another process
    assert mine.readable(CY, "sales").version == 2
    mine.remembered.forget()  # as the seconds do
    with pytest.raises(MetricNotFoundError):
        mine.readable(CY, "sales")
    registry.set_visibility(ADA, "sales", "organization", expected_version=2)
    assert mine.readable(CY, "sales").version == 2  # a refusal is not remembered
