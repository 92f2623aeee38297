"""Files of definitions: what is read, what is refused, and the older shape."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from metrics_pipeline.custom_metrics.documents import as_yaml, example_files, read_definitions
from metrics_pipeline.custom_metrics.faults import DefinitionError
from metrics_pipeline.custom_metrics.model import document_of
from metrics_pipeline.custom_metrics.parsing import parse_definition
from metrics_pipeline.errors import UserError

COUNT = {"name": "events_count", "type": "simple", "dataset": "events", "agg": "count"}
OLD = {"name": "Active users (30 days)", "metricType": "DISTINCT_COUNT", "dataSource": "events"}


@pytest.mark.parametrize(
    "text",
    [
        "name: events_count\ntype: simple\ndataset: events\nagg: count\n",
        "[{name: events_count, type: simple, dataset: events, agg: count}]",
        "format: metric/v1\nmetrics:\n  - {name: events_count, type: simple, dataset: events, agg: count}\n",
        '{"metrics": [{"name": "events_count", "type": "simple", "dataset": "events", "agg": "count"}]}',
    ],
)
def test_one_definition_in_every_form_that_is_read(text: str) -> None:
    assert read_definitions(text) == [COUNT]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no definitions"),
        ("[]", "no definitions"),
        ("name: [", "no YAML or JSON"),
        ("name: a\nname: b\n", "name is there twice"),
        ("a: &x {b: 1}\nc: *x\n", "aliases are not read"),
        ("a: &x [1]\nb: *x\n", "aliases are not read"),
        ("- 3", "is a mapping"),
        ("metrics: []\nmore: 1", "'more' does not belong"),
        ("format: metric/v2\nmetrics: []", "format is not metric/v1"),
        ("!!python/object/apply:os.system [ls]", "no YAML or JSON"),
        ("[" * 5000, "YAML or JSON|nested too deeply"),
        ("x" * 1_000_001, "longer than"),
    ],
)
def test_a_file_that_holds_no_definitions_is_refused_with_one_sentence(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        read_definitions(text)


def test_what_is_written_is_read_again() -> None:
    definitions = [parse_definition(d) for f in example_files().values() for d in read_definitions(f.read_text())]

    again = [parse_definition(document) for document in read_definitions(as_yaml(definitions))]

    assert again == definitions
    assert len(definitions) >= 17


@pytest.mark.parametrize(
    ("kind", "formula", "expected"),
    [
        ("COUNT", "COUNT(*)", {"agg": "count"}),
        ("COUNT", "COUNT(DISTINCT actor_id)", {"agg": "count_distinct", "expr": "actor_id"}),
        ("SUM", "SUM(watchTime * 2)", {"agg": "sum", "expr": "watch_time * 2"}),
        ("AVERAGE", "AVG(progress)", {"agg": "average", "expr": "progress"}),
        ("DISTINCT_COUNT", "COUNT(DISTINCT actorId)", {"agg": "count_distinct", "expr": "actor_id"}),
        ("PERCENTILE", "PERCENTILE(watch_time, 0.95)", {"agg": "percentile", "expr": "watch_time", "percentile": 0.95}),
        ("MAX", "MAX(progress)", {"agg": "max", "expr": "progress"}),
        ("MIN", "MIN(progress)", {"agg": "min", "expr": "progress"}),
    ],
)
def test_every_type_of_the_older_shape(kind: str, formula: str, expected: dict[str, object]) -> None:
    [document] = read_definitions(as_json(OLD | {"metricType": kind, "calculationFormula": formula}))

    assert (
        document
        == {
            "name": "active_users_30_days",
            "label": "Active users (30 days)",
            "type": "simple",
            "dataset": "events",
        }
        | expected
    )
    assert document_of(parse_definition(document))["agg"] == expected["agg"]


def test_a_ratio_of_the_older_shape_becomes_its_parts_and_their_quotient() -> None:
    old = {
        "name": "Renewal rate",
        "metricType": "RATIO",
        "dataSource": "licenses",
        "calculationFormula": "COUNT(renewedAt) / COUNT(*)",
        "dimensions": ["industry"],
        "visibility": "TEAM",
        "filters": {"planName": ["a", "b"], "seats": {"gte": 5, "lt": 9}, "endedAt": None, "isTrial": False},
        "isActive": True,
        "createdBy": "somebody",
    }

    parts = read_definitions(as_json(old))

    assert [part["name"] for part in parts] == ["renewal_rate_numerator", "renewal_rate_denominator", "renewal_rate"]
    assert parts[2]["numerator"] == "renewal_rate_numerator"
    assert parts[0]["dataset"] == "licences"
    assert all(part["visibility"] == "team" and part["dimensions"] == ["industry"] for part in parts)
    assert parts[1]["filters"] == [
        {"field": "plan_name", "op": "in", "value": ["a", "b"]},
        {"field": "seats", "op": "gte", "value": 5},
        {"field": "seats", "op": "lt", "value": 9},
        {"field": "ended_at", "op": "is_null"},
        {"field": "is_trial", "op": "eq", "value": False},
    ]
    for part in parts:
        parse_definition(part)


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"calculationFormula": "SUM(a) / COUNT(b)"}, "/calculationFormula", "import_formula_unsupported"),
        ({"calculationFormula": "SUM(a)"}, "/calculationFormula", "import_formula_unsupported"),
        ({"calculationFormula": "SELECT 1"}, "/calculationFormula", "import_formula_unsupported"),
        ({"calculationFormula": ""}, "/calculationFormula", "field_missing"),
        ({"metricType": "MODE"}, "/metricType", "field_invalid"),
        ({"aggregationMethod": "SUM"}, "/aggregationMethod", "field_invalid"),
        ({"filters": [1]}, "/filters", "field_invalid"),
        ({"filters": {"a": {"like": "x"}}}, "/filters/a", "import_filter_unsupported"),
        ({"dimensions": "a"}, "/dimensions", "field_invalid"),
        ({"secret": 1}, "/secret", "field_unknown"),
    ],
)
def test_what_has_no_counterpart_is_refused(change: dict[str, object], pointer: str, code: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read_definitions(as_json(OLD | {"calculationFormula": "COUNT(DISTINCT actor_id)"} | change))

    assert [(fault.pointer, fault.code) for fault in caught.value.faults] == [(pointer, code)]


def as_json(document: Mapping[str, object]) -> str:
    return json.dumps(document)
