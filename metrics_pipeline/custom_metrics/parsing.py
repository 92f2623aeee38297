"""A document becomes a definition, or every fault that the document alone shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from metrics_pipeline.custom_metrics.faults import DefinitionError, Fault
from metrics_pipeline.custom_metrics.model import DEFINITION, Definition, RefusedError

_TYPES = ("simple", "ratio", "cumulative", "derived")
# What Pydantic calls the members of a union of values.
_MEMBERS = ("constrained-str", "str", "bool", "int", "float")
_KINDS = {
    "missing": ("field_missing", "It is needed."),
    "extra_forbidden": ("field_unknown", "There is no such field."),
}


def parse_definition(document: Mapping[str, object]) -> Definition:
    """A definition from a document of the format.

    Raises:
        DefinitionError: it is none.
    """
    try:
        return DEFINITION.validate_python(dict(document))
    except ValidationError as error:
        faults = {(fault.pointer, fault.code): fault for fault in map(_fault, error.errors(include_url=False))}
        raise DefinitionError(list(faults.values())) from None


def _fault(found: Mapping[str, object]) -> Fault:
    """Pydantic's error as a fault: its message may repeat the input, so only rules with texts of our own speak."""
    context = found.get("ctx")
    reason = context.get("error") if isinstance(context, dict) else None
    pointer = "".join(f"/{part}" for part in _places(found))
    if isinstance(reason, RefusedError):
        return Fault(pointer, reason.code, f"{reason}.")
    kind = str(found["type"])
    if kind.startswith("union_tag"):
        return Fault("/type", "field_invalid", "Say type: simple, ratio, cumulative or derived.")
    code, detail = _KINDS.get(kind, ("field_invalid", _rule(kind, context)))
    return Fault(pointer, code, detail)


def _places(found: Mapping[str, object]) -> Iterator[object]:
    places = found["loc"]
    for number, part in enumerate(places if isinstance(places, tuple) else ()):
        is_type = number == 0 and part in _TYPES
        is_member = number > 0 and isinstance(part, str) and (part in _MEMBERS or part.startswith("list["))
        if not is_type and not is_member:
            yield part


def _rule(kind: str, context: object) -> str:
    rules = context if isinstance(context, dict) else {}
    known = ("expected", "pattern", "max_length", "min_length", "gt", "lt", "ge", "le")
    said = ", ".join(f"{name} {rules[name]}" for name in known if name in rules)
    return f"It does not fit: {said}." if said else f"It does not fit ({kind})."
