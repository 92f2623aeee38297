"""No formula reads a file, another table or a setting, or runs for long: it is refused, or it is run and watched."""

from __future__ import annotations

import math
import time
from pathlib import Path

import duckdb
import pytest

from metrics_pipeline.custom_metrics.formulas.errors import FormulaError
from metrics_pipeline.custom_metrics.formulas.formula import Formula, parse_formula
from metrics_pipeline.custom_metrics.formulas.second_gate import check_statement
from metrics_pipeline_tests.custom_metrics.formulas.engines import guarded
from metrics_pipeline_tests.custom_metrics.formulas.hostile import corpus
from metrics_pipeline_tests.custom_metrics.formulas.trees import COLUMNS
from metrics_pipeline_tests.proofs.sizes import figure

CANARY = "canary-7f3a"
# Seconds of processor time. The longest of them are read in 20 ms and run in 70; the guard of time is 2 seconds.
LONGEST = 1.0


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    path = tmp_path / "canary.csv"
    path.write_text(f"secret\n{CANARY}\n")
    return path


def test_the_corpus_is_refused_or_harmless(canary: Path) -> None:
    connection = guarded(CANARY)
    formulas = corpus(str(canary))
    assert len(formulas) > 500
    accepted: dict[str, Formula] = {}
    refused: dict[str, int] = {}
    slowest = 0.0
    for text in formulas:
        began = time.process_time()
        try:
            accepted[text] = parse_formula(text, COLUMNS)
        except FormulaError as error:
            refused[error.code] = refused.get(error.code, 0) + 1
            check_told(error, text, str(canary))
        slowest = max(slowest, time.process_time() - began)
    assert slowest < LONGEST

    longest = 0.0
    for text, formula in accepted.items():
        began = time.process_time()
        run_and_watch(connection, text, formula)
        longest = max(longest, time.process_time() - began)
    assert longest < LONGEST
    figure("hostile formulas", f"{sum(refused.values())} refused, {len(accepted)} accepted and harmless")
    figure("slowest", f"{1000 * slowest:.0f} ms to read, {1000 * longest:.0f} ms to run")
    figure("refused with", refused)


def check_told(error: FormulaError, text: str, file: str) -> None:
    assert error.detail.endswith((".", "?"))
    assert CANARY not in error.detail
    assert file not in error.detail
    assert error.position is None or 0 <= error.position <= len(text)


def run_and_watch(connection: duckdb.DuckDBPyConnection, text: str, formula: Formula) -> None:
    """Run it over all rows, as the compiler would, and see what comes out."""
    rows = f"select {formula.sql} as x from data as t"
    assert set(connection.get_table_names(rows)) <= {"data"}
    if formula.datatype in ("integer", "number"):
        average = f"select avg(x) from ({rows})"
        check_statement(average, {"data"})
        connection.execute(average).fetchall()
    for (value,) in connection.execute(rows).fetchall():
        # a literal that names the file may be given back; what is in the file may not
        assert CANARY not in str(value), text
        assert not isinstance(value, float) or math.isfinite(value), text


def test_the_guards_of_this_test_hold(canary: Path) -> None:
    """The same connection would show the canaries to what is not refused, or stop it."""
    connection = guarded(CANARY)

    assert connection.execute("select max(secret) from other_workspace").fetchall() == [(CANARY,)]
    with pytest.raises(duckdb.PermissionException):
        connection.execute(f"from read_text('{canary}')")
    with pytest.raises(duckdb.Error):
        connection.execute("set memory_limit = '1GB'")
