"""What no client should send, to every route there is: refused with a problem, never a fault of the service."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from metrics_pipeline.api.operations.plain_requests import LONGEST_ADDRESS, MOST_HEADER_BYTES
from metrics_pipeline_tests.api.conftest import code_of
from metrics_pipeline_tests.api.operations.conftest import Site
from metrics_pipeline_tests.api.operations.routes import Operation

JSON = {"Content-Type": "application/json"}
ODD_TEXTS = ("\0", "a\0b", "\ud800", "x" * 5000, "'; drop table x --", "../../etc/passwd", "\u202e", "{}", "%s", "")
ODD_NUMBERS = ("9" * 400, "NaN", "-1", "1e400", "0x10", "true", "1.5", "")
# Encoded already: NUL, half a character, no UTF-8 at all, overlong, a full stop where a name should be.
ODD_PATHS = ("%00", "a%00b", "%ED%A0%80", "%FF", "%C0%AF", "%01", "%0A", "..%2F..", "%E2%80%AE", "x" * 3000, "%20")


Value = TypeVar("Value")
# Every value at every place takes half a minute; normally each place gets some of them, each backend others.
AT_EACH_PLACE = None if os.environ.get("PROVE") else 2


def some(values: Sequence[Value], site: Site, place: object) -> list[Value]:
    """The values that a place gets."""
    taken = zlib.crc32(f"{place} {site.settings.database_url is None}".encode()) % len(values)
    return [*values[taken:], *values[:taken]][:AT_EACH_PLACE]


def both(site: Site) -> Iterator[httpx.Client]:
    yield site.acme
    yield site.operator


def check(answer: httpx.Response, what: object) -> None:
    """Any answer at all is held to this: no fault, and it says how it may be kept."""
    assert answer.status_code < 500 or is_away(answer), f"{what}: {answer.status_code} {answer.text}"
    if answer.status_code >= 400:
        code_of(answer)
        assert answer.headers["cache-control"] == "no-store", what
    assert answer.headers["x-content-type-options"] == "nosniff", what
    assert len(answer.headers["x-request-id"]) == 32, what
    assert "cache-control" in answer.headers, what


def is_away(answer: httpx.Response) -> bool:
    """Dagster is not there in these tests; everything else is."""
    return answer.status_code == 503 and answer.json()["code"] == "dagster_unavailable"


def _leaves(routes: list[BaseRoute]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            if route.include_in_schema:
                yield route
        else:
            original = getattr(route, "original_router", None) or getattr(route, "app", None)
            yield from _leaves(list(getattr(original, "routes", [])))


def test_every_route_is_described(site: Site) -> None:
    from metrics_pipeline.api.app import make_app
    from metrics_pipeline.api.services import Services

    services = Services.open(site.settings)
    routes = {(method, route.path) for route in _leaves(make_app(services).routes) for method in route.methods or ()}
    services.ingestion.close()
    assert {(o.method, o.path) for o in site.operations} >= {
        (method, path.replace(":path}", "}")) for method, path in routes if not path.startswith("/v1/live")
    }
    assert len(routes) >= 30


def test_paths(site: Site) -> None:
    for operation in site.operations:
        for odd in some(ODD_PATHS, site, operation) if operation.has_path_parameters else ():
            for client in both(site):
                body: dict[str, object] | None = {} if operation.takes_body else None
                answer = client.request(operation.method, operation.url(odd), json=body)
                check(answer, f"{operation} {odd}")
                if "%00" in odd or odd in ("%ED%A0%80", "%FF", "%C0%AF"):
                    assert answer.status_code == 400, f"{operation} {odd}"


def test_queries(site: Site) -> None:
    for operation in site.operations:
        for name in operation.query:
            for odd in some((*ODD_PATHS, *ODD_NUMBERS), site, f"{operation} {name}"):
                answer = site.operator.request(operation.method, f"{operation.url()}?{name}={odd}")
                check(answer, f"{operation} {name}={odd}")
        check(site.acme.request(operation.method, f"{operation.url()}?%00&=&&&a[]=1&%ED%A0%80=1"), operation)


def _odd_bodies(operation: Operation) -> Iterator[Any]:
    names = list(operation.properties())
    for odd in (*ODD_TEXTS, 10**400, -1, 1e308, True, None, [], {}, [["\ud800"]], {"\ud800": "\0"}):
        yield dict.fromkeys(names, odd)
        yield {name: [odd] for name in names}
        yield {f"\ud800{odd}"[:200]: odd}
        yield odd


def test_bodies(site: Site) -> None:
    for operation in site.operations:
        if not operation.takes_body:
            continue
        for body in some(list(_odd_bodies(operation)), site, operation):
            for client in both(site):
                answer = client.request(
                    operation.method, operation.url(), content=json.dumps(body).encode(), headers=JSON
                )
                check(answer, f"{operation} {str(body)[:200]!r}")


@pytest.mark.parametrize(
    ("content", "headers", "statuses"),
    [
        (b'{"a": NaN}', JSON, {400}),
        (b'{"a": 1e400, "b": -Infinity}', JSON, {400}),
        (b'{"a": ' + b"9" * 5000 + b"}", JSON, {400}),
        (b"[" * 10_000, JSON, {400}),
        (b'{"a"', JSON, {400}),
        (b"\xff\xfe", JSON, {400}),
        (b"{}", {"Content-Type": "text/plain"}, {415}),
        (b"{}", {"Content-Type": "application/x-www-form-urlencoded"}, {415}),
        (b"{}", {}, {415}),
        (gzip.compress(b"{}", mtime=0), {**JSON, "Content-Encoding": "gzip"}, {415}),
        (b"{" + b" " * 4_000_000 + b"}", JSON, {413}),
    ],
)
def test_what_is_no_body(site: Site, content: bytes, headers: dict[str, str], statuses: set[int]) -> None:
    for operation in site.operations:
        if not operation.takes_body:
            continue
        found = set()
        for client in both(site):
            answer = client.request(operation.method, operation.url(), content=content, headers=headers)
            check(answer, operation)
            found.add(answer.status_code)
        # a webhook has a signature in place of a key, and nothing is read before it
        assert found & (statuses | ({401, 404} if "/webhooks/" in operation.path else set())), f"{operation} {found}"
        assert all(400 <= status < 500 for status in found), f"{operation} {found}"


def test_two_values_of_one_name(site: Site) -> None:
    """Events take the last one, as JSON parsers do; where a request does something, it is refused."""
    for operation in site.operations:
        if operation.takes_body and "/webhooks/" not in operation.path:
            content = b'{"a": 1, "a": 2}'
            answers = [
                client.request(operation.method, operation.url(), content=content, headers=JSON)
                for client in both(site)
            ]
            assert "invalid_json" in {code_of(answer) for answer in answers}, operation


def test_other_methods(site: Site) -> None:
    for operation in site.operations:
        for method in ("HEAD", "OPTIONS", "TRACE", "PROPFIND"):
            answer = site.acme.request(method, operation.url())
            assert answer.status_code == 405, f"{method} {operation}"
            assert answer.headers["allow"], f"{method} {operation}"
            if method != "HEAD":
                check(answer, f"{method} {operation}")


def test_what_is_too_long(site: Site) -> None:
    for operation in site.operations:
        answer = site.acme.request(operation.method, f"{operation.url()}?a={'x' * LONGEST_ADDRESS}")
        assert (answer.status_code, code_of(answer)) == (414, "uri_too_long")
        answer = site.acme.request(operation.method, operation.url(), headers={"X-Long": "x" * MOST_HEADER_BYTES})
        assert (answer.status_code, code_of(answer)) == (431, "headers_too_large")
