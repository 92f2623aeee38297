"""What is told: which numbers of a workspace or an account are new, small enough to send to everybody."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeAlias

from metrics_pipeline.api.answers import instant_text

METRICS, POST_METRICS, AGGREGATES = "metrics.updated", "post_metrics.updated", "aggregates.updated"
# How many a message names; more are told as null: ask for all of them.
MOST_NAMES = 50
MOST_ENTITIES = 20
MOST_VALUES = 50

Data: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Channel:
    """What one listens to: a workspace, or one account of it."""

    workspace_id: str
    account_id: str | None = None

    @property
    def name(self) -> str:
        if self.account_id is None:
            return f"workspace:{self.workspace_id}"
        return f"account:{self.workspace_id}/{self.account_id}"

    @classmethod
    def parse(cls, name: str) -> Channel | None:
        """The channel of a name; None for what is none."""
        kind, _, rest = name.partition(":")
        workspace_id, slash, account_id = rest.partition("/")
        if kind == "workspace" and workspace_id and not slash:
            return cls(workspace_id)
        return cls(workspace_id, account_id) if kind == "account" and workspace_id and account_id else None


@dataclass(frozen=True)
class Draft:
    """A message before it has a place in its workspace's sequence."""

    workspace_id: str
    channel: str
    type: str
    at: str
    data: Data

    @classmethod
    def of(cls, channel: Channel, type_: str, at: datetime, data: Data) -> Draft:
        return cls(channel.workspace_id, channel.name, type_, instant_text(at), data)


@dataclass(frozen=True)
class Message:
    """A draft with its place. Sequences are a workspace's own: gaps would show that others are active."""

    draft: Draft
    epoch: str
    sequence: int
    conflated: int = field(default=0, compare=False)
    """How many earlier messages of the same kind this one also stands for."""

    @property
    def id(self) -> str:
        return message_id(self.epoch, self.sequence)

    @property
    def key(self) -> tuple[str, str, object]:
        """What a later message has to share with this one to take its place."""
        return self.draft.channel, self.draft.type, self.draft.data.get("table")

    @cached_property
    def text(self) -> str:
        """The JSON that is sent; made once for all who get it."""
        told: Data = {
            "type": self.draft.type,
            "channel": self.draft.channel,
            "id": self.id,
            "at": self.draft.at,
            "data": {**self.draft.data, "generation": self.id},
        }
        if self.conflated:
            told["conflated"] = self.conflated
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))

    def after(self, earlier: Message) -> Message:
        """This message, which also says what an earlier one said that was not sent."""
        draft = Draft(
            self.draft.workspace_id,
            self.draft.channel,
            self.draft.type,
            self.draft.at,
            merged(earlier.draft.data, self.draft.data),
        )
        return Message(draft, self.epoch, self.sequence, self.conflated + earlier.conflated + 1)


def message_id(epoch: str, sequence: int) -> str:
    return f"{epoch}-{sequence}"


def parse_id(text: str) -> tuple[str, int] | None:
    """Epoch and sequence of an id; None for what is none."""
    epoch, _, sequence = text.rpartition("-")
    return (epoch, int(sequence)) if epoch and sequence.isascii() and sequence.isdecimal() and len(text) < 80 else None


def merged(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> Data:
    """What two messages of one kind say together."""
    together = {**earlier, **later}
    for span in ("days", "periods"):
        both = [said[span] for said in (earlier, later) if said.get(span)]
        if both:
            together[span] = {"first": min(s["first"] for s in both), "last": max(s["last"] for s in both)}
    for names, most in (("platforms", MOST_NAMES), ("metrics", MOST_NAMES), ("entities", MOST_ENTITIES)):
        if names in earlier and names in later:
            together[names] = bounded([earlier[names], later[names]], most)
    if "range" in (earlier.get("scope"), later.get("scope")):
        together["scope"] = "range"
    if "values" in earlier and "values" in later:
        together["values"] = _newest_values(earlier["values"], later["values"])
    return together


def bounded(lists: Iterable[list[Any] | None], most: int) -> list[Any] | None:
    """Everything the lists name, in order; None where that is too much or one of them says so."""
    found: dict[str, Any] = {}
    for names in lists:
        if names is None:
            return None
        found.update({str(name): name for name in names})
    return [found[name] for name in sorted(found)] if len(found) <= most else None


def _newest_values(earlier: list[Data] | None, later: list[Data] | None) -> list[Data] | None:
    """The values of the newest day; of two for the same thing the later one."""
    if earlier is None or later is None:
        return None
    newest = max((value["date"] for value in (*earlier, *later)), default=None)
    found = {
        tuple(value[name] for name in ("entity_type", "entity_id", "platform", "metric")): value
        for value in (*earlier, *later)
        if value["date"] == newest
    }
    return list(found.values()) if len(found) <= MOST_VALUES else None
