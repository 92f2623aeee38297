"""What a formula may say, what it is made into, and what it is refused with."""

from __future__ import annotations

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import duckdb
import pytest

from metrics_pipeline.custom_metrics.formulas import limits
from metrics_pipeline.custom_metrics.formulas.errors import FormulaCode, FormulaError
from metrics_pipeline.custom_metrics.formulas.formula import Datatype, parse_formula, require
from metrics_pipeline.custom_metrics.formulas.functions import FUNCTIONS
from metrics_pipeline.custom_metrics.formulas.lifting import lift
from metrics_pipeline.custom_metrics.formulas.second_gate import check_statement
from metrics_pipeline_tests.test_architecture import ALL, PACKAGE

COLUMNS: dict[str, Datatype] = {
    "views": "integer",
    "likes": "integer",
    "amount_cents": "integer",
    "price": "number",
    "country": "string",
    "is_bot": "boolean",
    "day": "date",
    "sent_at": "timestamp",
    "order": "string",
    'odd "name"': "number",
}


def refusal(text: str) -> FormulaError:
    with pytest.raises(FormulaError) as caught:
        parse_formula(text, COLUMNS)
    return caught.value


@pytest.mark.parametrize(
    ("text", "shown", "datatype"),
    [
        ("amount_cents / 100.0", "amount_cents / 100.0", "number"),
        ("LIKES-views/Price", "likes - (views / price)", "number"),
        ("likes / views * 100", "(likes / views) * 100", "number"),
        ("((likes)) + (views - 1)", "likes + (views - 1)", "number"),
        ("-(views)", "-views", "number"),
        ("- - 3", "-(-3)", "number"),
        ("-3", "-3", "integer"),
        ("is_bot = FALSE", "is_bot = false", "boolean"),
        (
            "not is_bot and country == 'DE' or views != 0",
            "((not is_bot) and (country = 'DE')) or (views <> 0)",
            "boolean",
        ),
        ("country not in ('DE', 'it''s')", "country not in ('DE', 'it''s')", "boolean"),
        ("views between 1 and 2 and is_bot is not true", "(views between 1 and 2) and (is_bot is not true)", "boolean"),
        ('"order" is null', '"order" is null', "boolean"),
        ('"odd ""name""" * 2', '"odd ""name""" * 2', "number"),
        ("day >= date '2026-01-01'", "day >= date '2026-01-01'", "boolean"),
        ("sent_at < timestamp '2026-01-01T08:30'", "sent_at < timestamp '2026-01-01 08:30:00'", "boolean"),
        ("case country when 'DE' then 1 end", "case when country = 'DE' then 1 end", "integer"),
        ("if(is_bot, 1, 0.5)", "case when is_bot then 1 else 0.5 end", "number"),
        ("country::int + CAST(day AS text)::double", None, "number"),
        ("coalesce(likes / views, 0)", "coalesce(likes / views, 0)", "number"),
        ("greatest(views, likes)", "greatest(views, likes)", "integer"),
        ("nullif(lower(country), 'de')", "nullif(lower(country), 'de')", "string"),
        ("CEILING(round(ln(sqrt(abs(price))), 2))", "ceil(round(ln(sqrt(abs(price))), 2))", "number"),
        ("sent_at::date", "try_cast(sent_at as date)", "date"),
    ],
)
def test_what_is_accepted(text: str, shown: str | None, datatype: Datatype) -> None:
    formula = parse_formula(text, COLUMNS)

    assert formula.datatype == datatype
    assert shown is None or formula.text == shown
    assert parse_formula(formula.text, COLUMNS) == formula


def test_the_sql_names_columns_of_its_relation_and_guards_divisions() -> None:
    formula = parse_formula("Likes > amount_cents / views", COLUMNS, table="month")

    assert formula.columns == {"likes", "amount_cents", "views"}
    division = 'cast("month"."amount_cents" as double) / nullif(cast("month"."views" as double), 0)'.replace(
        '"month"', "month"
    )
    assert formula.sql == f'cast(month."likes" as double) > (case when isfinite({division}) then {division} end)'


REFUSED: dict[str, list[tuple[str, int | None]]] = {
    "expr_too_long": [("views" + " " * 2_000, None)],
    "expr_too_deep": [
        ("(" * 21 + "1" + ")" * 21, 21),
        ("not " * 21 + "is_bot", 84),
        ("price" + " / 2" * 31, None),
    ],
    "expr_too_large": [
        ("views" + " + views" * 100, 0),
        ("views in (" + "1, " * 200 + "1)", 9),
        # each divisor is named three times by its guard
        ("1 / (price - " * 7 + "1" + ")" * 7, None),
    ],
    "expr_bad_character": [("views \u2212 1", 6), ("views\x00", 5), ("country = '\u202e'", 10), ("c\u043euntry", 1)],
    "expr_parse_error": [
        *[("", 0), ("views +", 7), ("views likes", 6), ("(views", 6), ("country = 'x", 10), ("1 < views < 3", 10)],
        *[("views in ()", 10), (". 2.5", 0), ("0x10", 0), ("- not is_bot", 2), ("order = 'x'", 0), ("round()", 0)],
        *[
            ("case else 1 end", 5),
            ("views !=-1", 6),
            ("date '2026-02-30'", 5),
            ("country = 'a' 'b'", 14),
            ("1 <= = 2", 5),
        ],
    ],
    "expr_not_single": [("views; drop table data", 5), ("views;", 5)],
    "expr_node_not_allowed": [
        *[("country like 'D%'", 8), ("country || 'x'", 8), ("(select 1)", 1), ("views % 2", 6), ("views -> 1", 6)],
        *[("@views", 0), ("{{ views }}", 0), ("views[1]", 5), ("views -- all", 6), ("interval '1 day'", 0), ("$1", 0)],
        *[("views in (1, likes)", 13), ("views is distinct from 1", 9), ("current_date", 0)],
    ],
    "expr_function_not_allowed": [("pow(views, 2)", 0), ("read_text('x')", 0), ('"abs"(views)', 0)],
    "expr_aggregate_not_allowed": [
        ("sum(views)", 0),
        ("1 + Count(*)", 4),
        ("max(views, 1)", 0),
        ("percentile(views, 0.5)", 0),
    ],
    "expr_unknown_column": [("view", 0), ("views + t", 8), ('"views "', 0)],
    "expr_qualified_column": [("t.views", 1), ('"other" . "views"', 8), ("pg_catalog.abs(views)", 10)],
    "expr_cast_not_allowed": [
        *[
            ("views::decimal(10, 2)", 7),
            ("cast(views as int[])", None),
            ("cast(views as boolean)", 0),
            ("views::varchar(3)", 7),
        ],
    ],
    "expr_literal_too_long": [("'" + "a" * 201 + "'", 0), ("1e999", 0), ("9" * 41, 0)],
    "expr_type_mismatch": [
        *[
            ("country + 1", 0),
            ("views and is_bot", 0),
            ("country > 1", 0),
            ("views = null", 8),
            ("null", 0),
            ("day = '2026-01-01'", 0),
        ],
        *[
            ("not views", 4),
            ("is_bot < true", 0),
            ("case when views then 1 end", 10),
            ("if(is_bot, 1, 'x')", 11),
            ("lower(1)", 6),
        ],
        *[
            ("round(price, views)", 13),
            ("views is true", 0),
            ("greatest(is_bot, true)", 9),
            ("coalesce(null, null)", 0),
        ],
    ],
}


@pytest.mark.parametrize("code", sorted(REFUSED))
def test_what_is_refused_says_what_to_do_and_where(code: str) -> None:
    for text, position in REFUSED[code]:
        error = refusal(text)
        assert error.code in (code, "expr_node_not_allowed" if "[]" in text else code), f"{text}: {error.code}"
        assert position is None or error.position == position, f"{text}: {error.position}"
        assert str(error) == error.detail


def test_every_code_can_happen() -> None:
    with pytest.raises(FormulaError) as disagreement:
        check_statement("select * from data", tables=())
    with pytest.raises(FormulaError) as unsupported:
        lift("sum(views) + 1")

    assert {*REFUSED, disagreement.value.code, unsupported.value.code} == set(get_args(FormulaCode))


def test_errors_repeat_no_text_of_the_formula() -> None:
    secret = "s3cret value"
    for text in (
        f"'{secret}' + 1",
        f"country = '{secret}",
        f"date '{secret}'",
        f"country like '{secret}'",
        f"f('{secret}')",
    ):
        assert secret not in refusal(text).detail


def test_a_wrong_name_is_answered_with_the_ones_that_are_near() -> None:
    assert "amount_cents" in refusal("amount_cnts").detail
    assert "is_bot, likes" in refusal("zzz").detail


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("1 / 0", None), ("0 / 0", None), ("1e308 * 10", None), ("1e308 * 10 * 0", None), ("1 / (1e308 * 10)", None)],
        *[("ln(0)", None), ("ln(-1)", None), ("sqrt(-1)", None), ("coalesce(1 / 0, 5)", 5.0), ("1 / 0 is null", True)],
        *[("'x'::double", None), ("'inf'::double", None), ("' 12 '::int", 12), ("1e300::int", None), ("2.5::int", 2)],
        *[
            ("9223372036854775807 + 1", 2.0**63),
            ("-9223372036854775807 - 5", -(2.0**63)),
            ("abs(-9223372036854775808)", 2.0**63),
        ],
        *[("'infinity'::date is null", True), ("7 / 2", 3.5), ("0.1 + 0.2", 0.1 + 0.2), ("null::int is null", True)],
        *[("9007199254740993 = 9007199254740992", False), ("1 not in (2, -1)", True), ("greatest(1, null::int)", 1)],
    ],
)
def test_numbers_never_abort_a_query_and_are_finite_or_null(text: str, value: object) -> None:
    assert duckdb.execute(f"select {parse_formula(text, {}).sql}").fetchall() == [(value,)]


@pytest.mark.parametrize("stored", ["utinyint", "integer", "ubigint", "hugeint", "decimal(18, 4)", "float", "double"])
def test_columns_may_be_stored_as_other_kinds_of_numbers(stored: str) -> None:
    kind: Datatype = "integer" if "int" in stored else "number"
    text = "(a + 1) / 4 * a + if(a > 5, a, 0) + coalesce(nullif(a, 3), 1) + case when a in (7, 8) then 1 else 0 end"
    formula = parse_formula(text, {"a": kind})

    assert duckdb.execute(f"select {formula.sql} from (select 7::{stored} as a) as t").fetchall() == [(29.0,)]


def test_a_stack_that_is_nearly_full_is_enough_for_the_deepest_formula() -> None:
    deepest = "coalesce(1, " * 15 + "case when not views = views + views * views then 1 end" + ")" * 15

    def at(depth: int) -> str:
        return at(depth - 1) if depth else parse_formula(deepest, COLUMNS).text

    frame, used = sys._getframe(), 0
    while frame.f_back is not None:
        frame, used = frame.f_back, used + 1
    assert at(sys.getrecursionlimit() - used - 400).startswith("coalesce(1, coalesce(")


def test_many_threads_may_read_formulas() -> None:
    texts = [f"views / {number}" for number in range(60)]
    with ThreadPoolExecutor(6) as threads:
        read = list(threads.map(lambda text: parse_formula(text, COLUMNS).text, texts))

    assert read == texts


def test_require_names_what_is_needed() -> None:
    require(parse_formula("views", COLUMNS), "number")
    require(parse_formula("views > 1", COLUMNS), "boolean")
    with pytest.raises(FormulaError, match=r"gives text, and a number or true or false is needed") as caught:
        require(parse_formula("country", COLUMNS), "number", "boolean")
    assert caught.value.code == "expr_type_mismatch"
    with pytest.raises(FormulaError):
        require(parse_formula("price", COLUMNS), "integer")


def test_the_page_about_formulas_is_right() -> None:
    page = (PACKAGE.parent / "docs" / "formulas.md").read_text()
    aliases = {"income", "cost", "now_f", "prev_f"}
    columns: dict[str, Datatype] = {**COLUMNS, **dict.fromkeys(aliases, "number")}
    examples = [line for block in re.findall(r"```sql\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]

    assert len(examples) > 10
    for example in examples:
        parse_formula(example, columns)
    assert set(re.findall(r"^\| `((?:expr|import)_\w+)` \|", page, re.MULTILINE)) == set(get_args(FormulaCode))
    assert [name for name in FUNCTIONS if not re.search(rf"`{name}\b", page)] == []
    said = re.findall(r"\| ([\d,]+)", page.split("## Limits")[1].split("## Errors")[0])
    assert [int(number.replace(",", "")) for number in said] == [
        *(limits.LENGTH, limits.NODES, limits.NESTING, limits.LIST),
        *(limits.TEXT_LITERAL, limits.NUMBER_LITERAL, limits.WRITTEN_OUT),
    ]


def test_the_language_knows_nothing_of_the_rest() -> None:
    mine = "metrics_pipeline.custom_metrics.formulas"
    arrows = {
        i.name
        for i in ALL
        if "custom_metrics/formulas/" in i.importer.relative_to(PACKAGE).as_posix()
        and i.name.startswith("metrics_pipeline.")
    }
    assert {name for name in arrows if not name.startswith(mine)} == {"metrics_pipeline.errors.UserError"}
