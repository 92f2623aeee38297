"""Updates as callers send them: one, or many of one metric."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, NoReturn

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StrictStr, ValidationError
from pydantic.config import JsonDict

from metrics_pipeline.api.problems import Problem
from metrics_pipeline.realtime.backend import AHEAD_SECONDS
from metrics_pipeline.realtime.kinds import Kind
from metrics_pipeline.realtime.refusals import RealtimeError
from metrics_pipeline.realtime.series import LONGEST_VALUE, MOST_LABELS, check_metric
from metrics_pipeline.realtime.updates import Update, make_update
from metrics_pipeline.realtime.widths import LONGEST_WINDOW, SECOND, micros
from metrics_pipeline.shapes.realtime import MetricType

BODY_BYTES = 1_048_576
MOST_UPDATES = 1000
LONGEST_TEXT = 256
NAME_PATTERN = "^[a-z][a-z0-9_]{1,62}$"
_NO_NUL = r"^[^\x00]*$"
_LABELS: JsonDict = {
    "type": "object",
    "maxProperties": MOST_LABELS,
    "propertyNames": {"pattern": NAME_PATTERN},
    "additionalProperties": {"type": "string", "maxLength": LONGEST_VALUE},
}

Value = (
    Annotated[StrictInt, Field(ge=-(10**12), le=10**12)]
    | Annotated[StrictFloat, Field(ge=-1e12, le=1e12)]
    | Annotated[StrictStr, Field(max_length=LONGEST_TEXT)]
)
Labels = Annotated[dict[str, StrictStr], Field(json_schema_extra=_LABELS)]


class PostedUpdate(BaseModel):
    """One value of a series."""

    model_config = ConfigDict(extra="forbid")

    value: Value = Field(description="A number; of a distinct metric the text that is counted.")
    labels: Labels = Field({}, description="Which series of the metric it belongs to.")
    observed_at: AwareDatetime | None = Field(
        None, description="Of a gauge: when it was observed, with an offset; by default now. The latest stands."
    )
    writer: str = Field(
        "", max_length=LONGEST_VALUE, description="Of a gauge: who observed it; decides between two of one instant."
    )


class Posted(PostedUpdate):
    """An update, or with `updates` in place of `value` many of the same metric."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"type": "counter", "value": 1, "labels": {"region": "eu"}, "unit": "orders"},
            "oneOf": [{"required": ["value"]}, {"required": ["updates"]}],
        },
    )

    type: MetricType = Field(description="What the numbers mean; a metric keeps its type.")
    unit: str | None = Field(
        None, max_length=64, pattern=_NO_NUL, description="Of the values; a metric keeps its unit. Left out: as it is."
    )
    window_seconds: int | None = Field(
        None,
        ge=1,
        le=LONGEST_WINDOW,
        strict=True,
        description="Window of reads that name none, from now on; 60 at first.",
    )
    value: Value | None = Field(None, description="A number; of a distinct metric the text that is counted.")  # type: ignore[assignment]
    updates: list[PostedUpdate] | None = Field(
        None,
        min_length=1,
        max_length=MOST_UPDATES,
        description="Many at once: all of them are right, or none is counted.",
    )


def _schema() -> dict[str, Any]:
    """The body as one piece, without null: a value is left out or given."""
    schema = Posted.model_json_schema()
    update = schema.pop("$defs")["PostedUpdate"]
    for each in (schema["properties"], update["properties"]):
        for name, field in each.items():
            kinds = [kind for kind in field.get("anyOf", []) if kind != {"type": "null"}]
            if len(kinds) == 1:
                each[name] = {**kinds[0], **{key: field[key] for key in field if key not in ("anyOf", "default")}}
            elif kinds:
                field["anyOf"] = kinds
                if "default" in field and field["default"] is None:
                    del field["default"]
    schema["properties"]["updates"]["items"] = update
    return schema


BODY: dict[str, object] = {"requestBody": {"required": True, "content": {"application/json": {"schema": _schema()}}}}


def posted(given: object) -> Posted:
    """The body. Raises Problem 422 with the places that cannot be used, and never their values."""
    try:
        found = Posted.model_validate(given)
    except ValidationError as error:
        errors = [
            {"code": each["type"], "pointer": _pointer(each["loc"]) if each["type"] != "extra_forbidden" else ""}
            for each in error.errors(include_input=False, include_context=False, include_url=False)
        ]
        raise Problem(422, "invalid_request", "The body cannot be used.", extensions={"errors": errors}) from None
    if (found.value is None) == (found.updates is None):
        raise Problem(422, "invalid_request", "A body has either `value` or `updates`.", extensions={"pointer": ""})
    return found


def updates_of(workspace_id: str, metric: str, body: Posted, received_at: datetime) -> list[Update]:
    """What is to be counted. Raises Problem 422 with the first update that cannot be taken."""
    try:
        check_metric(workspace_id, metric)
    except RealtimeError as error:
        refuse(error)
    made = []
    latest = micros(received_at) + AHEAD_SECONDS * SECOND
    for index, each in enumerate(body.updates or [body]):
        place = "" if body.updates is None else f"/updates/{index}"
        if each.observed_at is not None and micros(each.observed_at) > latest:
            refuse(RealtimeError("in_the_future", "An observation cannot lie ahead of the present."), place)
        try:
            made.append(
                make_update(
                    workspace_id,
                    metric,
                    Kind(body.type),
                    each.value,
                    received_at,
                    each.labels,
                    observed_at=each.observed_at,
                    writer=each.writer,
                    unit=body.unit or "",
                )
            )
        except RealtimeError as error:
            refuse(error, place)
    return made


def refuse(error: RealtimeError, pointer: str = "") -> NoReturn:
    """Raises the Problem 422 of what real-time metrics do not take."""
    raise Problem(422, error.code, error.detail, extensions={"pointer": pointer}) from None


def _pointer(place: tuple[int | str, ...]) -> str:
    """Where it is. Of labels only that it is one: their names were sent."""
    parts = list(place)
    if "labels" in parts:
        del parts[parts.index("labels") + 1 :]
    return "".join(f"/{part}" for part in parts if not (isinstance(part, str) and "[" in part))
