"""Every type by every grain against an oracle that shares no code with the compiler; more examples with PROVE=1."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings

from metrics_pipeline.custom_metrics.compiler.question import Question
from metrics_pipeline.custom_metrics.guarded import GuardedLake
from metrics_pipeline.custom_metrics.periods import Calendar, Period
from metrics_pipeline_tests.custom_metrics.drawn import (
    Drawn,
    cumulative_questions,
    derived_questions,
    ratio_questions,
    simple_questions,
)
from metrics_pipeline_tests.custom_metrics.oracle import Ask, Cell, Oracle
from metrics_pipeline_tests.custom_metrics.worlds import World, ask, random_rows, version_of

PROVE = os.environ.get("PROVE") == "1"
EXAMPLES = settings(
    max_examples=500 if PROVE else 20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
EXACT = ("count", "count_distinct", "sum_boolean", "min", "max")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"), random_rows(20_260_101))


@pytest.fixture(scope="module")
def lake(world: World) -> Iterator[GuardedLake]:
    with world.opened() as lake:
        yield lake


def question_of(asked: Ask) -> Question:
    return Question(
        asked.workspace,
        asked.grain,  # type: ignore[arg-type]
        tuple(Period(*days) for days in asked.periods),
        asked.today,
        asked.known_from,
        asked.zone,
        asked.dimensions,
        Calendar(asked.weekday),
        asked.reads_unowned,
    )


def cells(rows: list[dict[str, Any]]) -> dict[tuple[int, str], Cell]:
    """Rows of an answer as the oracle has them; each cell once."""
    found = {
        (row["period"], _sorted(row["dimensions"])): Cell(
            row["value"], row["state"], row["is_complete"], row["people"], row["numerator"], row["denominator"]
        )
        for row in rows
    }
    assert len(found) == len(rows)
    return found


def _sorted(text: str) -> str:
    return json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)


def assert_same(
    found: Mapping[tuple[int, str], Cell], expected: Mapping[tuple[int, str], Cell], *, exact: bool = False
) -> None:
    assert found.keys() == expected.keys()
    for key, wanted in expected.items():
        cell = found[key]
        assert (cell.state, cell.is_complete, cell.people) == (wanted.state, wanted.is_complete, wanted.people), key
        for one, other in (
            (cell.value, wanted.value),
            (cell.numerator, wanted.numerator),
            (cell.denominator, wanted.denominator),
        ):
            same = one == other or (
                not exact
                and one is not None
                and other is not None
                and math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-12)
            )
            assert same, (key, cell, wanted)


def compare(world: World, lake: GuardedLake, drawn: Drawn) -> None:
    documents, name, asked = drawn
    version = version_of(documents, name, asked.workspace)
    found = cells(ask(lake, version, question_of(asked)))
    expected = Oracle(world.rows, documents).answer(name, asked)
    note(f"{documents} {asked}")
    assert_same(found, expected, exact=documents[name].get("agg") in EXACT)


@given(drawn=simple_questions())
@EXAMPLES
def test_a_simple_metric(world: World, lake: GuardedLake, drawn: Drawn) -> None:
    compare(world, lake, drawn)


@given(drawn=simple_questions(balance=True))
@EXAMPLES
def test_a_balance(world: World, lake: GuardedLake, drawn: Drawn) -> None:
    compare(world, lake, drawn)


@given(drawn=ratio_questions())
@EXAMPLES
def test_a_ratio(world: World, lake: GuardedLake, drawn: Drawn) -> None:
    compare(world, lake, drawn)


@given(drawn=cumulative_questions())
@EXAMPLES
def test_a_cumulative_metric(world: World, lake: GuardedLake, drawn: Drawn) -> None:
    compare(world, lake, drawn)


@given(drawn=derived_questions())
@EXAMPLES
def test_a_derived_metric(world: World, lake: GuardedLake, drawn: Drawn) -> None:
    compare(world, lake, drawn)
