"""Custom metrics through the client: the server's real answers, in the types that the client promises."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.client import ApiError, MetricsClient, NotFound
from metrics_pipeline_tests.api.definitions import conftest as definitions
from metrics_pipeline_tests.api.definitions.conftest import simple

settings, lake, people, server = definitions.settings, definitions.lake, definitions.people, definitions.server


def test_from_the_definition_to_the_frame(server: ApiServer, key: Callable[..., str]) -> None:
    with MetricsClient(server.url, key("acme", "read", "define")) as client:
        views = simple("seen", filter="event_type = 'view_start'", dimensions=["country"])
        [tried] = client.validate(views).data
        assert (tried.grains[0], len(tried.preview), tried.cost_class) == ("day", 7, "low")
        made = client.define(views, simple("watched", "sum", "watch_time"), note="first").data
        assert [change.what for change in made] == ["created", "created"]
        changed = client.define({**views, "filter": "event_type = 'like'"}, effective_from=date(2026, 3, 10)).data
        assert (changed[0].what, changed[0].metric.version) == ("updated", 2)
        assert [metric.name for metric in client.iter_definitions(limit=1)] == ["seen", "watched"]
        assert [metric.name for metric in client.definitions(text="watch").data] == ["watched"]
        assert client.definition("seen", version=1).data.definition["filter"] == "event_type = 'view_start'"

        answer = client.custom_values("seen", start=date(2026, 3, 1), end=date(2026, 3, 15), dimension="country")
        assert {value.version for value in answer.data.values} == {1, 2}
        frame = answer.to_frame()
        total = client.custom_values("seen", start=date(2026, 3, 1), end=date(2026, 3, 15)).to_frame()
        by_day = frame.groupby("start")["value"].sum()
        assert by_day.to_dict() == total.set_index("start")["value"].loc[by_day.index].to_dict()
        assert "DE" in set(frame["country"])

        with pytest.raises(NotFound):
            client.custom_values("nothing_such")
        with pytest.raises(ApiError) as refused:
            client.define(simple("wrong", "sum", "nothing_such"), simple("wrong_too", "sum"))
        assert refused.value.code == "invalid_definition"
        assert [error["pointer"] for error in refused.value.errors] == ["/metrics/1"]
        with pytest.raises(ValueError, match="at least one"):
            client.define()
