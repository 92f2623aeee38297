"""The description of the interface: a change of it is a change somebody has to see."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from openapi_spec_validator import validate

SNAPSHOT = Path(__file__).with_name("openapi.json")


def test_the_description_is_the_reviewed_one(acme: httpx.Client) -> None:
    """After an intended change: UPDATE_SNAPSHOT=1 pytest, then read the diff."""
    text = json.dumps(acme.get("/openapi.json").json(), indent=2, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_SNAPSHOT"):
        SNAPSHOT.write_text(text)
    assert text == SNAPSHOT.read_text()


def test_there_is_a_page_for_people(acme: httpx.Client) -> None:
    answer = acme.get("/docs")
    assert answer.status_code == 200
    assert "/openapi.json" in answer.text


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def undescribed(place: str, schema: dict[str, Any]) -> Iterator[str]:
    """Fields without a description, however deep; what is defined elsewhere is looked at there."""
    for name, field in schema.get("properties", {}).items():
        if not field.get("description") and "$ref" not in field:
            yield f"{place}.{name}"
        yield from undescribed(f"{place}.{name}", field)
    for part in [schema.get("items"), *schema.get("anyOf", []), *schema.get("$defs", {}).values()]:
        yield from undescribed(place, part) if isinstance(part, dict) else ()


def test_a_generator_can_make_a_client_of_it(acme: httpx.Client) -> None:
    document = acme.get("/openapi.json").json()
    validate(document)
    every = list(operations(document))
    names = [operation["operationId"] for _, operation in every]
    assert sorted(names) == sorted(set(names))
    for place, operation in every:
        for status, answer in operation["responses"].items():
            for media_type, content in answer.get("content", {}).items():
                assert content.get("schema") or "json" not in media_type, (place, status)
        assert any(status.startswith("2") for status in operation["responses"]), place


def test_everything_in_it_is_described(acme: httpx.Client) -> None:
    document = acme.get("/openapi.json").json()
    missing: list[str] = []
    for name, schema in document["components"]["schemas"].items():
        missing += undescribed(name, schema)
    for place, operation in operations(document):
        missing += [] if operation.get("description") else [place]
        missing += [
            f"{place} {each['name']}" for each in operation.get("parameters", []) if not each.get("description")
        ]
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schema = content["schema"]
            missing += undescribed(place, schema)
            missing += [] if "example" in schema or "$ref" in schema else [f"{place}: an example"]
    assert missing == []
