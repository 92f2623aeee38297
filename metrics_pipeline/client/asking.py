"""What every method of the client comes down to: a request, and its answer as the shape it has."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from metrics_pipeline.client.errors import ApiError
from metrics_pipeline.client.link import Ask, Link, Value

Answer = TypeVar("Answer", bound=BaseModel)


class Asking:
    """A client with nothing to ask for yet."""

    def __init__(self, link: Link, now: Callable[[], datetime]) -> None:
        self._link = link
        self.now = now

    def _get(self, shape: type[Answer], path: str, **query: Value) -> Answer:
        return self._ask(shape, Ask("GET", path, query))

    def _ask(self, shape: type[Answer], ask: Ask) -> Answer:
        """The answer to a request.

        Raises:
            ApiError: there is none, or it is not of this shape, as of another version of the server.
        """
        body = self._link.send(ask)
        try:
            return shape.model_validate_json(body)
        except ValidationError as error:
            places = sorted({".".join(str(part) for part in found["loc"]) for found in error.errors()})
            detail = f"The answer is no {shape.__name__}: see {', '.join(places[:5]) or 'its beginning'}."
        raise ApiError(200, "unreadable_answer", detail)


def json_body(value: Mapping[str, object]) -> bytes:
    """A body as JSON. Raises ValueError for what JSON cannot write, NaN included."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
