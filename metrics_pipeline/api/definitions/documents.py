"""Bodies that hold definitions: one, or many under `metrics`, of the format metric/v1 or of the older shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from starlette.requests import Request

from metrics_pipeline.api.bodies import read_json
from metrics_pipeline.api.problems import Problem
from metrics_pipeline.custom_metrics.faults import DefinitionError, Fault, QuestionError
from metrics_pipeline.custom_metrics.model import FORMAT
from metrics_pipeline.custom_metrics.registry.refusals import VersionConflictError
from metrics_pipeline.custom_metrics.requirement_shape import is_requirement_shape, read_requirement_shape

BODY_BYTES = 1_000_000
# One transaction, and each of them is compiled: a request that takes seconds is none. Files go through the CLI.
MOST_DEFINITIONS = 100

Document = Mapping[str, object]
Result = TypeVar("Result")


@dataclass
class Documents:
    """Definitions as the registry reads them. is_one: the body was a single one. places: where each stood in it."""

    is_one: bool
    documents: list[Document] = field(default_factory=list)
    places: list[tuple[str, bool]] = field(default_factory=list)

    def with_places(self, work: Callable[[Sequence[Document]], Result]) -> Result:
        """What `work` makes of them; its faults point into the body that was sent, not into the list of documents.

        Raises:
            DefinitionError: as `work` does.
        """
        try:
            return work(self.documents)
        except (QuestionError, VersionConflictError):
            raise
        except DefinitionError as error:
            error.faults = tuple(self._placed(fault) for fault in error.faults)
            raise

    def _placed(self, fault: Fault) -> Fault:
        number, _, rest = fault.pointer.removeprefix("/").partition("/")
        if not number.isdigit() or int(number) >= len(self.places):
            return fault
        place, is_older = self.places[int(number)]
        # of the older shape fields have other names: the sentence says what is wrong
        pointer = place if is_older or not rest else f"{place}/{rest}"
        return Fault(pointer, fault.code, fault.detail)


async def read_documents(request: Request) -> Documents:
    """The definitions of a body.

    Raises:
        Problem: it is too large, no JSON, or holds no definitions.
        DefinitionError: one of the older shape cannot be converted.
    """
    content = await read_object(request)
    if "metrics" not in content:
        found = Documents(is_one=True)
        _add(found, content, "")
        return found
    if set(content) - {"metrics", "format"} or content.get("format", FORMAT) != FORMAT:
        raise _unusable("", f"Beside metrics nothing is taken but format, which is {FORMAT}.")
    listed = content["metrics"]
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_DEFINITIONS:
        raise _unusable("/metrics", f"It is a list of 1 to {MOST_DEFINITIONS} definitions.")
    found = Documents(is_one=False)
    for number, entry in enumerate(listed):
        if not isinstance(entry, dict):
            raise _unusable(f"/metrics/{number}", "A definition is an object, with name, type and more.")
        _add(found, entry, f"/metrics/{number}")
    return found


async def read_object(request: Request) -> dict[str, object]:
    """A body that is an object whose texts can be stored.

    Raises:
        Problem: it is none.
    """
    content = await read_json(request, BODY_BYTES)
    if not isinstance(content, dict):
        raise _unusable("", "The body is an object.")
    text = json.dumps(content, ensure_ascii=False)
    if "\\u0000" in text or not _is_utf8(text):
        raise _unusable("", "A text of it holds what cannot be stored: NUL, or half of a pair of surrogates.")
    return content


def merged(target: object, patch: object) -> object:
    """A document after a merge patch (RFC 7396): null takes a field away, an object goes into what is there."""
    if not isinstance(patch, Mapping):
        return patch
    found: dict[str, object] = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found


def _add(found: Documents, document: dict[str, object], place: str) -> None:
    is_older = is_requirement_shape(document)
    for each in _converted(document, place) if is_older else [document]:
        found.documents.append(each)
        found.places.append((place, is_older))


def _converted(document: Document, place: str) -> Iterator[Document]:
    try:
        yield from read_requirement_shape(document)
    except DefinitionError as error:
        raise DefinitionError([Fault(f"{place}{f.pointer}", f.code, f.detail) for f in error.faults]) from None


def _unusable(pointer: str, detail: str) -> Problem:
    errors = [{"pointer": pointer, "code": "field_invalid", "detail": detail}]
    return Problem(422, "invalid_definition", detail, extensions={"errors": errors})


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
