"""How bodies with definitions are described: the format's own models, as parts of the interface's description."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic.config import JsonDict

from metrics_pipeline.api.body_shapes import NO_NUL
from metrics_pipeline.api.definitions.documents import MOST_DEFINITIONS
from metrics_pipeline.custom_metrics.model import DEFINITION, FORMAT

_REF = "#/components/schemas/"
# One word, one meaning, whatever the type of the metric; docs/custom_metrics.md says more.
_WORDS = {
    "agg": "How the rows' values become one.",
    "dataset": "The data set that it reads, see GET /v1/datasets.",
    "denominator": "The metric below.",
    "description": "What it means, for people.",
    "expr": "The formula: over fields of the data set, or of a derived metric over the names of its inputs.",
    "field": "A field of the data set.",
    "grain_to_date": "Since the start of the month, or of another grain, that the period lies in.",
    "input_metric": "The simple metric that is added up.",
    "input_metrics": "The metrics of the formula.",
    "join_to_timespine": "Also periods without a row have a value.",
    "label": "Its name for people.",
    "name": "Its name: small letters, digits and underscores.",
    "non_additive_dimension": "For balances, which are not added up over time.",
    "numerator": "The metric above.",
    "offset_to_grain": "Its value at the start of the month, or of another grain, that the period lies in.",
    "offset_window": 'Its value so much earlier, such as "1 month".',
    "op": "How the field is compared with the value.",
    "percentile": "For agg percentile: which one, such as 0.95.",
    "percentile_type": "Between two values, or one that occurs.",
    "status": "A draft is not calculated by the pipeline; archived is not set here.",
    "tags": "Words to find it by.",
    "type": "What kind of metric it is.",
    "visibility": "Who sees it; where nothing is said as wide as whoever makes it may.",
    "window_choice": "The latest rows of a period, or the earliest.",
}
_INPUTS = ("Input", "DerivedInput")
_OLDER: JsonDict = {
    "type": "object",
    "description": "A definition of the older shape; what says the same in metric/v1 is stored, a RATIO as three.",
    "required": ["name", "metricType", "calculationFormula"],
    "additionalProperties": False,
    "properties": {
        "name": {
            "type": "string",
            "pattern": NO_NUL,
            "description": "Becomes the label, and in small letters the name.",
        },
        "description": {"type": ["string", "null"], "pattern": NO_NUL, "description": _WORDS["description"]},
        "metricType": {
            "enum": ["COUNT", "SUM", "AVERAGE", "DISTINCT_COUNT", "PERCENTILE", "MAX", "MIN", "RATIO"],
            "description": "What the formula computes.",
        },
        "dataSource": {"type": "string", "pattern": NO_NUL, "description": "The data set; also in camelCase."},
        "calculationFormula": {
            "type": "string",
            "pattern": NO_NUL,
            "description": "One aggregate, such as SUM(amountCents); of a RATIO one divided by another.",
        },
        "aggregationMethod": {
            "type": ["string", "null"],
            "pattern": NO_NUL,
            "description": "May not contradict metricType.",
        },
        "percentile": {"type": ["number", "null"], "description": "For PERCENTILE, such as 0.95."},
        "dimensions": {
            "type": ["array", "null"],
            "items": {"type": "string", "pattern": NO_NUL},
            "description": "Fields that it may be broken down by.",
        },
        "filters": {"type": ["object", "null"], "description": "By field a value, a list of values, or {gte: 5}."},
        "visibility": {"type": ["string", "null"], "pattern": NO_NUL, "description": _WORDS["visibility"]},
        "unit": {"type": ["string", "null"], "pattern": NO_NUL, "description": "Of the values."},
        "tags": {
            "type": ["array", "null"],
            "items": {"type": "string", "pattern": NO_NUL},
            "description": _WORDS["tags"],
        },
        "isActive": {"type": ["boolean", "null"], "description": "False makes a draft."},
    },
}
_MANY: JsonDict = {
    "type": "object",
    "description": "Several definitions, in any order: all of them are taken, or none.",
    "required": ["metrics"],
    "additionalProperties": False,
    "properties": {
        "format": {"const": FORMAT, "description": "May be left out."},
        "metrics": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_DEFINITIONS,
            "items": {"anyOf": [{"$ref": f"{_REF}MetricDefinition"}, {"$ref": f"{_REF}OlderMetricDefinition"}]},
            "description": "The definitions.",
        },
    },
}
_EXAMPLE: JsonDict = {
    "name": "revenue",
    "type": "simple",
    "dataset": "orders",
    "agg": "sum",
    "expr": "amount_cents / 100.0",
    "unit": "EUR",
    "fill_nulls_with": 0,
}
_SENT = ("MetricDefinition", "OlderMetricDefinition", "MetricDefinitions")
DOCUMENTS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"anyOf": [{"$ref": _REF + name} for name in _SENT], "example": _EXAMPLE},
            }
        },
    }
}
_PATCH: JsonDict = {
    "type": "object",
    "description": "Fields of the definition with their new values (RFC 7396); null takes one back to its default.",
    "example": {"label": "Revenue, net", "expr": "(amount_cents - tax_cents) / 100.0"},
}
PATCH_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            media_type: {"schema": _PATCH} for media_type in ("application/merge-patch+json", "application/json")
        },
    }
}


@cache
def definition_components() -> dict[str, Any]:
    """The schemas that bodies refer to, by name."""
    whole = DEFINITION.json_schema(ref_template=_REF + "Metric{model}")
    parts: dict[str, Any] = whole.pop("$defs")
    for name, part in parts.items():
        for field, schema in part["properties"].items():
            schema.setdefault("description", _WORDS.get(field, ""))
            if field == "visibility":
                del schema["default"]  # it depends on who makes it
        if name in _INPUTS:
            alone = {"type": "string", "pattern": part["properties"]["name"]["pattern"]}
            parts[name] = {"anyOf": [alone | {"description": "Its name alone."}, part]}
    return {
        **{f"Metric{name}": part for name, part in sorted(parts.items())},
        "MetricDefinition": {**whole, "description": f"A definition in the format {FORMAT}."},
        "OlderMetricDefinition": _OLDER,
        "MetricDefinitions": _MANY,
    }
