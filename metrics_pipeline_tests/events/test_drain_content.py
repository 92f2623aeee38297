"""Attributes of content on their way through the inbox: the newest word on an item counts, however often it comes."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from metrics_pipeline.events.content_fields import inbox_row
from metrics_pipeline.events.drain import drain
from metrics_pipeline.events.fields import Value
from metrics_pipeline.events.inbox import Inbox, InboxRow, InboxUnavailableError
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.events.sqlite_inbox import SqliteInbox
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.events.samples import NOW, handover, like, row, stored

CHUNK = 1000


def said(content: str = "c1", seconds: float = 0, workspace: str = "acme", **columns: Value) -> InboxRow:
    return inbox_row(workspace, content, columns, NOW + timedelta(seconds=seconds))


def content(lake: Lake, columns: str = "workspace_id, content_id, caption, creator_id") -> list[tuple[object, ...]]:
    return [tuple(found.values()) for found in stored(lake, columns, "content")]


def test_the_newest_word_counts_whole_within_a_drain_and_across_drains(inbox: Inbox, lake: Lake) -> None:
    assert inbox.append([said(caption="one", creator_id="anna"), said("c2", caption="other")]) == [True, True]
    inbox.append([said(seconds=2, caption="three"), said(seconds=1, caption="two", creator_id="bob")])
    figures = drain(inbox, lake, chunk=CHUNK)
    assert (figures.content, figures.rows, figures.commits) == (2, 0, 0)
    assert content(lake) == [("acme", "c1", "three", None), ("acme", "c2", "other", None)]
    inbox.append([said(seconds=1.5, caption="late"), said("c1", 0, "beta", caption="its own")])
    drain(inbox, lake, chunk=CHUNK)
    assert content(lake) == [
        ("acme", "c1", "three", None),
        ("acme", "c2", "other", None),
        ("beta", "c1", "its own", None),
    ]
    assert inbox.backlog().rows == 0


def test_it_claims_no_id_and_leaves_events_alone(ingestion: Ingestion, inbox: Inbox, lake: Lake) -> None:
    ingestion.submit_blocking(handover(), [like("a")])
    inbox.append([said(creator_id="anna"), said(creator_id="anna")])
    ingestion.submit_blocking(handover(), [like("b"), {}])
    figures = drain(inbox, lake, chunk=CHUNK)
    assert (figures.rows, figures.rejected, figures.content, figures.duplicates) == (2, 1, 1, 0)
    creators = [event["creator_id"] for event in stored(lake, "event_id, creator_id")]
    assert creators == ["anna", "anna"], "known in time to fill in what the events lack"


class StopsBeforeDeleting(SqliteInbox):
    def delete_through(self, sequence: int) -> int:
        raise InboxUnavailableError("unreachable", "stopped here")


def test_a_stop_between_merge_and_delete_does_not_bring_old_words_back(settings: Settings, lake: Lake) -> None:
    broken = StopsBeforeDeleting(settings.data_dir / "events.db")
    broken.append([said(caption="old"), row("a")])
    with pytest.raises(InboxUnavailableError):
        drain(broken, lake, chunk=CHUNK)
    other = SqliteInbox(settings.data_dir / "another.db")
    other.append([said(seconds=1, caption="new")])
    drain(other, lake, chunk=CHUNK)
    again = SqliteInbox(settings.data_dir / "events.db")
    drain(again, lake, chunk=CHUNK)
    assert content(lake) == [("acme", "c1", "new", None)]
    assert again.backlog().rows == 0
    assert len(stored(lake)) == 1


@pytest.mark.parametrize("seed", range(4))
def test_any_order_and_any_cut_ends_the_same(settings: Settings, lake: Lake, seed: int) -> None:
    rng = random.Random(seed)
    words = [said(rng.choice("abc"), second, caption=f"word {second}") for second in range(12)]
    expected = {w.payload for w in words}
    rng.shuffle(words)
    inbox = SqliteInbox(settings.data_dir / "events.db")
    for word in words:
        inbox.append([word])
        if rng.random() < 0.2:
            drain(inbox, lake, chunk=rng.choice((1, 2, CHUNK)))
    drain(inbox, lake, chunk=2)
    newest: dict[str, str] = {}
    for second in range(12):
        for word in words:
            if f'"word {second}"' in word.payload:
                newest[word.payload.split('"content_id":"')[1][0]] = f"word {second}"
    assert len(expected) == 12
    assert {str(c): w for c, w in content(lake, "content_id, caption")} == newest
