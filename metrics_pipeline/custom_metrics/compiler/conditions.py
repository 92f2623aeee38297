"""Conditions on rows: `filters` become comparisons with bound parameters, never with text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

from metrics_pipeline.custom_metrics.datasets import Dataset
from metrics_pipeline.custom_metrics.faults import DefinitionError
from metrics_pipeline.custom_metrics.formulas.formula import Datatype
from metrics_pipeline.custom_metrics.model import FieldFilter, Scalar

Value = str | bool | int | float | date | datetime
Instant = TypeVar("Instant", date, datetime)
Bind = Callable[[Value], str]
"""Takes a value, gives the name of its parameter, as `$p0_1`."""

_COMPARED = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_ORDERED: tuple[Datatype, ...] = ("integer", "number", "date", "timestamp", "string")


def condition(entry: FieldFilter, dataset: Dataset, bind: Bind, pointer: str) -> str:
    """One filter as a condition over `t`.

    As in SQL, no comparison holds for a field that is null.

    Raises:
        DefinitionError: the data set has no such field, or its values are of another kind.
    """
    field = dataset.fields.get(entry.field)
    if field is None:
        raise DefinitionError.at(f"{pointer}/field", "filter_unknown_field", f"{dataset.name} has no such field.")
    column = f't."{field.name}"'
    if entry.op == "is_null":
        return f"{column} is null"
    if entry.op == "not_null":
        return f"{column} is not null"
    if entry.op in ("contains", "starts_with"):
        if field.datatype != "string":
            raise _wrong(pointer, f"{entry.op} is for texts; {field.name} is of type {field.datatype}.")
        return f"{entry.op}({column}, {bind(str(entry.value))})"
    values = entry.value if isinstance(entry.value, list) else [entry.value]
    bound = [bind(_typed(value, field.datatype, pointer)) for value in values]
    if entry.op in ("in", "not_in"):
        return f"{column} {'not in' if entry.op == 'not_in' else 'in'} ({', '.join(bound)})"
    if entry.op not in ("eq", "neq") and field.datatype not in _ORDERED:
        raise _wrong(pointer, f"{entry.op} needs an order; {field.name} is of type {field.datatype}.")
    return f"{column} {_COMPARED[entry.op]} {bound[0]}"


def _typed(value: Scalar | None, datatype: Datatype, pointer: str) -> Value:
    """The value in the field's own type, so that nothing is converted row by row."""
    match datatype, value:
        case ("string", str(text)):
            return text
        case ("boolean", bool(truth)):
            return truth
        case ("integer" | "number", int(number) | float(number)) if not isinstance(value, bool):
            if isinstance(number, int) and not _SMALLEST <= number <= _LARGEST:
                raise _wrong(pointer, "The number is larger than any that is stored.")
            return number
        case ("date", str()):
            return _parsed(date.fromisoformat, value, pointer, "a day such as 2026-11-20")
        case ("timestamp", str()):
            instant = _parsed(datetime.fromisoformat, value, pointer, "an instant such as 2026-11-20T08:00:00Z")
            if instant.tzinfo is None:
                raise _wrong(pointer, "An instant needs its offset, such as 2026-11-20T08:00:00Z.")
            return instant
    raise _wrong(pointer, f"The field is of type {datatype}; the value is of another.")


def _parsed(parse: Callable[[str], Instant], value: str, pointer: str, such: str) -> Instant:
    try:
        return parse(value)
    except ValueError:
        raise _wrong(pointer, f"The value has to be {such}.") from None


def _wrong(pointer: str, detail: str) -> DefinitionError:
    return DefinitionError.at(f"{pointer}/value", "filter_value_type", detail)
