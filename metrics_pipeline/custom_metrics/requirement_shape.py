"""Definitions in an older shape (metricType, dataSource, calculationFormula), read as definitions of the format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from metrics_pipeline.custom_metrics.faults import DefinitionError
from metrics_pipeline.custom_metrics.formulas.errors import FormulaError
from metrics_pipeline.custom_metrics.formulas.lifting import Lifted, lift

Document = dict[str, object]

_AGGREGATES = {
    "COUNT": "count",
    "SUM": "sum",
    "AVERAGE": "average",
    "DISTINCT_COUNT": "count_distinct",
    "PERCENTILE": "percentile",
    "MAX": "max",
    "MIN": "min",
}
# What other systems call our data sets.
_DATASETS = {"licenses": "licences", "content_daily": "content_days"}
_OPERATORS = {
    "eq": "eq",
    "ne": "neq",
    "neq": "neq",
    "gt": "gt",
    "gte": "gte",
    "lt": "lt",
    "lte": "lte",
    "in": "in",
    "notin": "not_in",
    "not_in": "not_in",
    "contains": "contains",
    "startswith": "starts_with",
    "starts_with": "starts_with",
}
# Set by whoever keeps definitions, not by whoever writes them.
_IGNORED = frozenset({"id", "metricId", "version", "createdAt", "createdBy", "updatedAt", "updatedBy", "usageCount"})
_TAKEN = frozenset(
    {
        "name",
        "description",
        "metricType",
        "dataSource",
        "calculationFormula",
        "aggregationMethod",
        "percentile",
        "dimensions",
        "filters",
        "visibility",
        "unit",
        "tags",
        "isActive",
    }
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# A text of the formula, or a name in it.
_PIECE = re.compile(r"'(?:[^']|'')*'|[A-Za-z_][A-Za-z0-9_]*")


def is_requirement_shape(document: Mapping[str, object]) -> bool:
    """Whether a document is of the older shape."""
    return "metricType" in document


def read_requirement_shape(document: Mapping[str, object]) -> Iterator[Document]:
    """The definitions that say the same: one, or three for a ratio, whose parts come first.

    Raises:
        DefinitionError: something in it has no counterpart.
    """
    unknown = sorted(set(document) - _TAKEN - _IGNORED)
    if unknown:
        raise DefinitionError.at(f"/{unknown[0]}", "field_unknown", "There is no such field.")
    kind = str(document["metricType"]).upper()
    lifted = _lifted(document)
    common = _common(document)
    if kind == "RATIO":
        if isinstance(lifted, Lifted):
            raise _unsupported("A RATIO divides two aggregates, such as SUM(a) / SUM(b).")
        parts = [_simple(document, part, None) for part in lifted]
        for part, suffix in zip(parts, ("numerator", "denominator"), strict=True):
            yield {**_shared(common), "name": _part_name(common, suffix), "type": "simple", **part}
        numerator, denominator = (_part_name(common, suffix) for suffix in ("numerator", "denominator"))
        yield {**common, "type": "ratio", "numerator": numerator, "denominator": denominator}
        return
    if kind not in _AGGREGATES:
        detail = f"It is one of {', '.join([*_AGGREGATES, 'RATIO'])}."
        raise DefinitionError.at("/metricType", "field_invalid", detail)
    if not isinstance(lifted, Lifted):
        raise _unsupported(f"Two aggregates divided are a RATIO, not {kind}.")
    yield {**common, "type": "simple", **_simple(document, lifted, kind)}


def _lifted(document: Mapping[str, object]) -> Lifted | tuple[Lifted, Lifted]:
    text = document.get("calculationFormula")
    if not isinstance(text, str) or not text.strip():
        raise DefinitionError.at("/calculationFormula", "field_missing", "It is needed.")
    try:
        return lift(_PIECE.sub(_named, text))
    except FormulaError as error:
        raise DefinitionError.at("/calculationFormula", error.code, error.detail) from None


def _named(piece: re.Match[str]) -> str:
    """A name as fields are written here; texts stay."""
    return piece[0] if piece[0].startswith("'") else _snake(piece[0])


def _simple(document: Mapping[str, object], lifted: Lifted, kind: str | None) -> Document:
    agg = lifted.agg
    if kind is not None and agg != _AGGREGATES[kind] and not (kind == "COUNT" and agg == "count_distinct"):
        raise _unsupported(f"The formula computes {agg}, the metricType says {kind}.")
    method = document.get("aggregationMethod")
    wanted = {"count": {"count", "sum"}, "average": {"average", "avg"}}.get(agg, {agg})
    if method is not None and kind is not None and str(method).lower() not in wanted:
        detail = f"It contradicts the metricType: {agg} has no other aggregation."
        raise DefinitionError.at("/aggregationMethod", "field_invalid", detail)
    source = _snake(str(document.get("dataSource", "")))
    simple: Document = {"dataset": _DATASETS.get(source, source), "agg": agg}
    if lifted.expr is not None:
        simple["expr"] = lifted.expr
    if agg == "percentile":
        simple["percentile"] = lifted.percentile if lifted.percentile is not None else document.get("percentile")
    filters = list(_filters(document.get("filters")))
    return simple | ({"filters": filters} if filters else {})


def _common(document: Mapping[str, object]) -> Document:
    label = str(document.get("name", ""))
    common: Document = {"name": _slug(label), "label": label}
    for field in ("description", "unit", "tags"):
        if document.get(field) is not None:
            common[field] = document[field]
    if document.get("visibility") is not None:
        common["visibility"] = str(document["visibility"]).lower()
    dimensions = document.get("dimensions") or []
    if not isinstance(dimensions, list):
        raise DefinitionError.at("/dimensions", "field_invalid", "It is a list of names.")
    if dimensions:
        common["dimensions"] = [_snake(str(name)) for name in dimensions]
    if document.get("isActive") is False:
        common["status"] = "draft"
    return common


def _shared(common: Document) -> Document:
    return {key: common[key] for key in ("visibility", "dimensions", "status") if key in common}


def _part_name(common: Document, part: str) -> str:
    return f"{str(common['name'])[:50]}_{part}"


def _filters(filters: object) -> Iterator[Document]:
    """`{field: value}`, `{field: [values]}` and `{field: {gte: 5}}`."""
    if filters is None:
        return
    if not isinstance(filters, dict):
        raise DefinitionError.at("/filters", "field_invalid", "It is a mapping of fields to values.")
    for name, said in filters.items():
        field = _snake(str(name))
        if isinstance(said, dict):
            for operator, value in said.items():
                known = _OPERATORS.get(str(operator).lower().removeprefix("$"))
                if known is None:
                    raise DefinitionError.at(f"/filters/{name}", "import_filter_unsupported", "No such comparison.")
                yield {"field": field, "op": known, "value": value}
        elif isinstance(said, list):
            yield {"field": field, "op": "in", "value": said}
        elif said is None:
            yield {"field": field, "op": "is_null"}
        else:
            yield {"field": field, "op": "eq", "value": said}


def _snake(name: str) -> str:
    return _CAMEL.sub("_", name).lower() if not name.isupper() else name


def _slug(label: str) -> str:
    """A metric's name from a title: "Active users (30 days)" is active_users_30_days."""
    return re.sub(r"[^a-z0-9]+", "_", _snake(label).lower()).strip("_")[:63]


def _unsupported(detail: str) -> DefinitionError:
    return DefinitionError.at("/calculationFormula", "import_formula_unsupported", detail)
