"""Laws of validation: what is taken reads back as it was, and everything that can be sent has an answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.events.drain import to_arrow
from metrics_pipeline.events.fields import EVENT_TYPES
from metrics_pipeline.events.inbox import StoredRow
from metrics_pipeline.events.model import Event, Refused
from metrics_pipeline.events.validation import validate
from metrics_pipeline.lake.event_tables import EVENTS, REJECTED_EVENTS
from metrics_pipeline_tests.events.samples import FULL, LATENESS, NOW, Sent, checked, flat, handover

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30).filter(
    lambda value: not value.isspace()
)
seconds = st.floats(0, 604_800, allow_subnormal=True)
offsets = st.sampled_from([UTC, timezone(timedelta(hours=-7))])
instants = st.builds(
    lambda ago, offset: (NOW - ago).astimezone(offset), st.timedeltas(timedelta(0), timedelta(days=6)), offsets
)
events = st.fixed_dictionaries(
    {"eventType": st.sampled_from(sorted(EVENT_TYPES)), "contentId": texts, "creatorId": texts, "sessionId": texts},
    optional={
        "userId": texts,
        "eventId": texts,
        "timestamp": instants.map(lambda instant: instant.isoformat()),
        "viewData": st.fixed_dictionaries(
            {},
            optional={
                "watchTime": seconds,
                "duration": seconds | st.integers(0, 1000),
                "progress": st.floats(0, 1),
                "completionPercent": st.floats(0, 1000),
                "isRewatch": st.booleans(),
                "loopCount": st.integers(0, 1000),
            },
        ),
        "source": st.fixed_dictionaries({}, optional={"type": texts, "campaign": texts}),
        "location": st.fixed_dictionaries(
            {"consent": st.booleans()},
            optional={"city": texts, "latitude": st.floats(-90, 90), "longitude": st.floats(-180, 180)},
        ),
    },
)


@given(events, events)
def test_events_read_back_from_the_table_as_they_were_validated(one: Sent, other: Sent) -> None:
    """Through JSON and Arrow, whatever text and numbers they hold, and in either spelling."""
    taken = []
    for event in (one, flat(other)):
        found = validate(event, handover(sent_at=NOW), LATENESS)
        assert isinstance(found, Event)
        taken.append(found)
    rows = to_arrow([StoredRow(n, "accepted", e.payload()) for n, e in enumerate(taken)], EVENTS, "event_ts")
    for number, (row, valid) in enumerate(zip(rows.to_pylist(), taken, strict=True)):
        event_ts = valid.columns["event_ts"]
        assert isinstance(event_ts, datetime)
        assert (row.pop("date"), row.pop("sequence")) == (event_ts.date(), number)
        assert {name: value for name, value in row.items() if value is not None} == valid.columns


keys = st.sampled_from([*FULL, *flat(FULL)]) | st.text()
scalars = st.none() | st.booleans() | st.floats() | st.integers() | st.text()
anything = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner))


@given(anything)
def test_anything_json_can_say_has_an_answer_that_can_be_stored(value: object) -> None:
    found = checked(value)
    if isinstance(found, Refused):
        assert to_arrow([StoredRow(1, "rejected", found.payload())], REJECTED_EVENTS, "received_at").num_rows == 1
    else:
        assert to_arrow([StoredRow(1, "accepted", found.payload())], EVENTS, "event_ts").num_rows == 1
