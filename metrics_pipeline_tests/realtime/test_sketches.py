"""Histograms and distinct counts keep their bounds, and histograms are those of SQL, bucket for bucket."""

from __future__ import annotations

import math
import random

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics_pipeline.lake.connect import SQL_DIR
from metrics_pipeline.realtime import log_buckets
from metrics_pipeline.realtime.distinct import ERROR_BOUND, Distinct, hash_of
from metrics_pipeline.realtime.fixed_point import LARGEST, number, split, total_millionths
from metrics_pipeline.realtime.kinds import Kind, add_fields, amounts, merge
from metrics_pipeline_tests.realtime.conftest import IS_PROOF

SAMPLE = 300_000 if IS_PROOF else 20_000
EXAMPLES = 1000 if IS_PROOF else 25


def distributions() -> dict[str, list[float]]:
    chance = random.Random(5)
    edges = [log_buckets.GAMMA**power for power in range(-1500, 1382)]
    return {
        "lognormal": [chance.lognormvariate(2, 2) for _ in range(SAMPLE)],
        "exponential": [chance.expovariate(0.01) for _ in range(SAMPLE)],
        "both signs": [chance.gauss(0, 1000) for _ in range(SAMPLE)] + [0.0, -0.0] * 50,
        "milliseconds": [chance.randrange(100_000) / 1000 for _ in range(SAMPLE)],
        "edges": [each for edge in edges for each in (math.nextafter(edge, 0), edge, math.nextafter(edge, math.inf))]
        + [5e-324, 1e-300, LARGEST, -LARGEST],
    }


@pytest.mark.parametrize("name", ["lognormal", "exponential", "both signs", "milliseconds", "edges"])
def test_sql_makes_the_same_histogram(name: str) -> None:
    values = distributions()[name]
    mine: dict[str, int] = {}
    for value in values:
        field = next(name for name in log_buckets.amounts(value) if name[0] in "pmz")
        mine[field] = mine.get(field, 0) + 1
    with duckdb.connect() as connection:
        connection.execute((SQL_DIR / "macros.sql").read_text())
        connection.register("sample", pa.table({"x": pa.array(values, pa.float64())}))
        parts = connection.sql("select whole_units(x), millionths(x) from sample").fetchall()
        assert parts == [split(value) for value in values]
        rows = connection.sql("select histogram_field(x) as field, count(*) as n from sample group by 1").fetchall()
    assert dict(rows) == mine


@pytest.mark.parametrize("name", ["lognormal", "exponential", "both signs", "milliseconds"])
def test_percentiles_are_within_one_percent(name: str) -> None:
    values = distributions()[name]
    fields: dict[str, int] = {}
    for value in values:
        add_fields(Kind.HISTOGRAM, fields, amounts(Kind.HISTOGRAM, value))
    assert len(fields) <= log_buckets.MOST_FIELDS + 3
    values.sort()
    shares = [n / 200 for n in range(201)]
    for share, value in log_buckets.percentiles(fields, shares).items():
        exact = values[math.floor(share * (len(values) - 1))]
        assert abs(value - exact) <= log_buckets.ERROR * abs(exact) * (1 + 1e-9)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.floats(-1e12, 1e12), max_size=60), st.randoms(use_true_random=False))
def test_sums_do_not_depend_on_the_order(values: list[float], chance: random.Random) -> None:
    one: dict[str, int] = {}
    for value in values:
        add_fields(Kind.HISTOGRAM, one, amounts(Kind.HISTOGRAM, value))
    chance.shuffle(values)
    halves: list[dict[str, int]] = [{}, {}]
    for place, value in enumerate(values):
        add_fields(Kind.HISTOGRAM, halves[place % 2], amounts(Kind.HISTOGRAM, value))
    merge(halves[0], halves[1])
    assert halves[0] == one
    assert number(total_millionths(one, "s")) == pytest.approx(math.fsum(values), rel=1e-9, abs=1e-4)
    assert all(0 <= split(value)[1] < 1_000_000 for value in values)


@pytest.mark.parametrize("people", [10_000, 10_001, 30_000, 45_000, *([1_000_000] if IS_PROOF else [])])
def test_a_distinct_count_is_within_its_bound(people: int) -> None:
    whole, halves = Distinct(), [Distinct(), Distinct()]
    hashes = [hash_of("acme", str(n)) for n in range(people)]
    whole.add(hashes)
    halves[0].add(hashes[: people * 2 // 3])
    halves[1].add(hashes[people // 3 :])
    halves[0].merge(halves[1])
    if people <= 10_000:
        assert (whole.count(), whole.is_approximate, halves[0].count()) == (people, False, people)
    else:
        assert whole.is_approximate
        assert abs(whole.count() - people) <= ERROR_BOUND * people
        if halves[0].is_approximate:
            assert halves[0].registers == whole.registers


def test_the_standard_error_of_distinct_counts() -> None:
    """Over many sets the errors have the standard deviation that the bound is made of, and no bias."""
    errors = []
    for number_of_set in range(100 if IS_PROOF else 15):
        some = Distinct()
        some.add(hash_of(str(number_of_set), str(n)) for n in range(20_000))
        errors.append(some.count() / 20_000 - 1)
    deviation = math.sqrt(math.fsum(error**2 for error in errors) / len(errors))
    assert deviation < ERROR_BOUND / 2 * 1.5
    assert abs(math.fsum(errors) / len(errors)) < 3 * ERROR_BOUND / 2 / math.sqrt(len(errors))
