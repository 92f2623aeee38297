"""Aggregate calls of other tools, taken apart."""

from __future__ import annotations

import pytest

from metrics_pipeline.custom_metrics.formulas.errors import FormulaError
from metrics_pipeline.custom_metrics.formulas.lifting import Lifted, lift

SUM_A, SUM_B = Lifted("sum", "a", None), Lifted("sum", "b", None)


@pytest.mark.parametrize(
    ("text", "lifted"),
    [
        ("COUNT(*)", Lifted("count", None, None)),
        ("count( x )", Lifted("count", "x", None)),
        ("COUNT(DISTINCT actor_id)", Lifted("count_distinct", "actor_id", None)),
        ("(SUM(amount_cents/100.0))", Lifted("sum", "amount_cents/100.0", None)),
        (
            "SUM(CASE WHEN a IN (1, 2) THEN 1 ELSE 0 END)",
            Lifted("sum", "CASE WHEN a IN (1, 2) THEN 1 ELSE 0 END", None),
        ),
        ("AVG(coalesce(x, 0))", Lifted("average", "coalesce(x, 0)", None)),
        ("Min(x)", Lifted("min", "x", None)),
        ('MAX("order")', Lifted("max", '"order"', None)),
        ("MEDIAN(x)", Lifted("median", "x", None)),
        ("PERCENTILE(x + 1, 0.95)", Lifted("percentile", "x + 1", 0.95)),
        ("PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY x)", Lifted("percentile", "x", 0.95)),
        ("percentile_cont(0) within group (order by (x) asc)", Lifted("percentile", "(x)", 0.0)),
        ("SUM(a) / SUM(b)", (SUM_A, SUM_B)),
        ("(SUM(a)) / NULLIF((SUM(b)), 0)", (SUM_A, SUM_B)),
        ("(sum(a)/count(*))", (SUM_A, Lifted("count", None, None))),
    ],
)
def test_what_has_a_field_is_lifted(text: str, lifted: Lifted | tuple[Lifted, Lifted]) -> None:
    assert lift(text) == lifted


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a", "a column outside an aggregate"),
        ("'x'", "text outside an aggregate"),
        ("SUM(a) + 1", "arithmetic around an aggregate (+)"),
        ("SUM(a) / SUM(b) * 100", "arithmetic around an aggregate (*)"),
        ("100 * SUM(a) / SUM(b)", "a number outside an aggregate"),
        ("SUM(a) / SUM(b) / SUM(c)", "more than one division"),
        ("SUM(a) OVER (PARTITION BY b)", "a window function"),
        ("SUM(a) FILTER (WHERE b)", "a filter clause"),
        ("(SELECT SUM(a) FROM b)", "a sub-query"),
        ("SUM((SELECT 1))", "a sub-query"),
        ("SUM(COUNT(x))", "an aggregate inside an aggregate"),
        ("STDDEV(x)", "the aggregate stddev"),
        ("SQRT(SUM(x))", "the function sqrt"),
        ("COUNT(a, b)", "a second argument of count"),
        ("SUM(DISTINCT a)", "distinct in sum"),
        ("SUM(a) / NULLIF(SUM(b), 1)", "nullif with something else than 0"),
        ("PERCENTILE(x)", "names which"),
        ("PERCENTILE(x, 95)", "from 0 to 1"),
        ("PERCENTILE_CONT(0.5)", "within group"),
        ("PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x DESC)", "a descending order"),
        ("CASE WHEN SUM(a) > 1 THEN 1 END", "case"),
    ],
)
def test_what_has_none_is_named(text: str, named: str) -> None:
    with pytest.raises(FormulaError) as caught:
        lift(text)

    assert caught.value.code == "import_formula_unsupported"
    assert named.lower() in caught.value.detail.lower()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *[
            ("", "expr_parse_error"),
            ("()", "expr_parse_error"),
            ("SUM(", "expr_parse_error"),
            ("SUM()", "expr_parse_error"),
        ],
        *[("SUM(a) / ", "expr_parse_error"), ("SUM(a);", "expr_not_single"), ("SUM(a) -- x", "expr_node_not_allowed")],
        *[("SUM(a\x00)", "expr_bad_character"), ("SUM(" + "a" * 2_000 + ")", "expr_too_long")],
    ],
)
def test_what_cannot_be_read_at_all_is_refused_as_a_formula_is(text: str, code: str) -> None:
    with pytest.raises(FormulaError) as caught:
        lift(text)

    assert caught.value.code == code
