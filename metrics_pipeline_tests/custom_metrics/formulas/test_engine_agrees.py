"""Random formulas, with DuckDB and an evaluator in Python as the judges of what they mean."""

from __future__ import annotations

import math
import random
import re

import duckdb
import pytest

from metrics_pipeline.custom_metrics.formulas.errors import FormulaError
from metrics_pipeline.custom_metrics.formulas.formula import Formula, parse_formula
from metrics_pipeline_tests.custom_metrics.formulas.engines import guarded, stored_rows
from metrics_pipeline_tests.custom_metrics.formulas.reading import reading
from metrics_pipeline_tests.custom_metrics.formulas.trees import (
    CAST_FROM,
    COLUMNS,
    Tree,
    Value,
    evaluate,
    random_tree,
    written,
)
from metrics_pipeline_tests.proofs.sizes import figure, size

TREES = size(2_000, 200_000)
TOKENS = size(2_000, 400_000)
# Formulas that are run in one statement.
TOGETHER = 25

SCRAPS = [
    *("+", "-", "*", "/", "(", ")", ",", "=", "==", "<>", "!=", "<", "<=", ">", ">=", "::", "not", "and", "or", "is"),
    *("null", "true", "false", "in", "between", "case", "when", "then", "else", "end", "if(", "coalesce(", "nullif("),
    *(
        "views",
        "amount",
        "name",
        "ok",
        '"order"',
        "IF",
        "date",
        "timestamp",
        "1",
        "2.5",
        "0",
        "'x'",
        "date '2026-01-01'",
    ),
    *(
        "double",
        "int",
        "cast(",
        "as",
        "round(",
        "ln(",
        ".",
        "@",
        "[",
        "->",
        "||",
        "%",
        "like",
        ";",
        "--",
        "$1",
        "{",
        "x",
    ),
]


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return guarded()


def test_a_formula_means_what_its_tree_means(connection: duckdb.DuckDBPyConnection) -> None:
    pick = random.Random(11)
    rows = stored_rows(connection)
    batch: list[tuple[Tree, str, Formula]] = []
    refused = 0
    for number in range(TREES):
        tree = random_tree(pick, pick.choice(list(CAST_FROM)), pick.choice((1, 2, 3, 3, 4, 4, 5)))
        text = written(tree, pick)
        try:
            formula = parse_formula(text, COLUMNS)
        except FormulaError as error:
            # the only thing about these trees that may be refused is their size
            if error.code not in ("expr_too_long", "expr_too_large"):
                pytest.fail(f"{text}\n{error.code}: {error}")
            refused += 1
        else:
            assert formula.datatype == tree.datatype, text
            batch.append((tree, text, formula))
        if batch and (len(batch) == TOGETHER or number == TREES - 1):
            selected = ", ".join(formula.sql for _, _, formula in batch)
            answers = connection.execute(f"select {selected} from data as t").fetchall()
            for row, answer in zip(rows, answers, strict=True):
                for (tree, text, formula), value in zip(batch, answer, strict=True):
                    expected = evaluate(tree, row)
                    assert same(value, expected), (
                        f"{text}\n{formula.text}\n{formula.sql}\n{row}: {value}, not {expected}"
                    )
            batch.clear()
    assert refused < TREES / 20
    figure("random trees with the right values", f"{TREES - refused:,} of {TREES:,}, {refused} too large")


def test_whatever_is_accepted_is_read_as_duckdb_reads_it(connection: duckdb.DuckDBPyConnection) -> None:
    """Sound formulas, sound ones with changes, and pieces put together at random."""
    pick = random.Random(12)
    accepted = 0
    for _ in range(TOKENS):
        text = scramble(pick)
        try:
            formula = parse_formula(text, COLUMNS)
        except FormulaError:
            continue
        accepted += 1
        assert reading(connection, text) == reading(connection, formula.text), f"{text}\n{formula.text}"
        connection.execute(f"select {formula.sql} from data as t").fetchall()
    assert accepted > TOKENS / 10
    figure("scrambled formulas", f"{accepted:,} of {TOKENS:,} accepted, all read as DuckDB reads them")


def scramble(pick: random.Random) -> str:
    if pick.random() < 0.3:
        return " ".join(pick.choice(SCRAPS) for _ in range(pick.randint(1, 7)))
    text = written(random_tree(pick, pick.choice(list(CAST_FROM)), pick.choice((1, 2, 3))), pick)
    pieces = re.findall(r"'(?:[^']|'')*'|\"[^\"]*\"|[A-Za-z_0-9.]+|\s+|.", text)
    for _ in range(pick.choice((0, 0, 1, 1, 2))):
        at = pick.randrange(len(pieces))
        match pick.choice(("out", "in", "swap", "twice", "replace")):
            case "out":
                pieces[at] = ""
            case "in":
                pieces.insert(at, f" {pick.choice(SCRAPS)} ")
            case "swap":
                other = pick.randrange(len(pieces))
                pieces[at], pieces[other] = pieces[other], pieces[at]
            case "twice":
                pieces.insert(at, pieces[at])
            case _:
                pieces[at] = pick.choice(SCRAPS)
    return "".join(pieces)


def same(value: Value, expected: Value) -> bool:
    if isinstance(value, float) and isinstance(expected, int | float):
        return math.isfinite(value) and (value == expected or math.isclose(value, expected, rel_tol=1e-14))
    return value == expected and (value is None) == (expected is None)
