"""The finished statement, looked at by DuckDB's own parser."""

from __future__ import annotations

import pytest

from metrics_pipeline.custom_metrics.formulas.errors import FormulaError
from metrics_pipeline.custom_metrics.formulas.formula import Datatype, parse_formula
from metrics_pipeline.custom_metrics.formulas.second_gate import check_statement

COLUMNS: dict[str, Datatype] = {
    "views": "integer",
    "price": "number",
    "country": "string",
    "ok": "boolean",
    "at_day": "date",
}


@pytest.mark.parametrize(
    "statement",
    [
        "select sum(t.views) from data as t",
        "with days as (select $p1::date as day) select day, count(*) filter (where true) from DAYS group by all",
        "select date_trunc('month', timezone($tz, t.sent_at)) as bucket, quantile_cont(t.views, 0.95) from data as t "
        "where t.workspace_id = $workspace and t.sent_at >= $start group by 1 order by 1 limit 10",
        "with a as (select 1 as k union select a from data) select json_object($p, k) from a where contains(k, $p)",
        "select * from (select distinct d.views from data as d left join data as e on d.a = e.a) as u",
    ],
)
def test_what_a_compiler_writes_passes(statement: str) -> None:
    check_statement(statement, {"data"})


@pytest.mark.parametrize(
    "statement",
    [
        *["select * from other", "select * from main.data", "select * from memory.main.data", "from glob('*')"],
        *["select * from read_text('x')", "select getenv('HOME') from data", "select main.abs(1)", "from 'x.csv'"],
        *["select (select 1)", "select 1 where exists (from data)", "select sum(views) over () from data"],
        *["select 1; select 2", "drop table data", "", "select", "copy data to 'x'", "describe data", "values (1)"],
        *["select views[1] from data", "select {'a': 1}", "select columns('a') from data", "select x -> 1 from data"],
        *["select views::struct(a int) from data", "select views::int[] from data", "select 'x' collate nocase"],
        *["from data union from other", "with recursive a as (select 1 union all select 1 from a) from a"],
        *["from generate_series(1, 10)", "select generate_series(1, 10)", "select unnest([1])", "select sleep_ms(5)"],
        *["select country like 'a' from data", "select current_date", "select current_user", "select random()"],
        *["select list_transform([1], lambda x: x)", "select * from data tablesample 1 rows", "select 'a' || 'b'"],
        *["select #1 from data", "select @views from data", "pivot data on views"],
    ],
)
def test_anything_else_is_refused(statement: str) -> None:
    with pytest.raises(FormulaError) as caught:
        check_statement(statement, {"data"})

    assert caught.value.code == "expr_engine_disagrees"


@pytest.mark.parametrize(
    "text",
    [
        "coalesce(nullif(lower(upper(country)), 'a'), 'b') in ('a', 'b') and country not in ('c')",
        "round(abs(floor(ceil(sqrt(ln(price))))), 2) between 1 and 2 or price not between -1 and 1 or not ok",
        "case when views > 1 and views < 2 or views >= 3 or views <= 4 or views <> 6 then -price else 1 / price end",
        "ok is true and ok is not false and ok is not null and at_day is null and at_day = date '2026-01-01'",
        "greatest(views, least(1, 2)) + country::int + country::double + if(ok::varchar::boolean, 1, 2)",
        "at_day::timestamp > timestamp '2026-01-01 00:00:00' and at_day::timestamp::date < country::date",
        "views" + " + views" * 99,
    ],
)
def test_every_formula_passes(text: str) -> None:
    formula = parse_formula(text, COLUMNS)

    check_statement(f"select count({formula.sql}) from data as t", {"data"})
