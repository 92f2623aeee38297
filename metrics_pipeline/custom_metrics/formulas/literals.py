"""`date '2026-11-19'` and `timestamp '2026-11-19 14:30:00'`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from metrics_pipeline.custom_metrics.formulas.errors import FormulaError
from metrics_pipeline.custom_metrics.formulas.terms import Term
from metrics_pipeline.custom_metrics.formulas.tokens import Token

TYPED_LITERALS = frozenset({"date", "timestamp"})

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?")


def typed_literal(word: Token, text: Token) -> Term:
    """A date, or an instant in UTC.

    Raises:
        FormulaError: it is written in another form, or there is no such day.
    """
    try:
        if word.value == "date":
            written = _day(text.value)
            return Term("date", f"date '{written}'", f"date '{written}'", word.position, literal=True)
        written = _instant(text.value)
    except ValueError:
        form = "date '2026-11-19'" if word.value == "date" else "timestamp '2026-11-19 14:30:00', in UTC"
        detail = f"A {word.value} is an existing day, written as {form}."
        raise FormulaError("expr_parse_error", detail, text.position) from None
    sql = f"timestamptz '{written}+00'"
    return Term("timestamp", f"timestamp '{written}'", sql, word.position, literal=True)


def _day(written: str) -> str:
    if not _DATE.fullmatch(written):
        raise ValueError
    return date.fromisoformat(written).isoformat()


def _instant(written: str) -> str:
    match = _TIMESTAMP.fullmatch(written)
    if match is None:
        raise ValueError
    form = f"%Y-%m-%d{written[10]}%H:%M{':%S' if match[1] else ''}{'.%f' if match[2] else ''}"
    return datetime.strptime(written, form).replace(tzinfo=UTC).strftime("%Y-%m-%d %H:%M:%S.%f").removesuffix(".000000")
