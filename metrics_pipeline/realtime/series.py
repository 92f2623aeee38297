"""Which series an update belongs to: a workspace, a metric and labels, never joined into one text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from metrics_pipeline.realtime.refusals import RealtimeError

NAME = re.compile(r"[a-z][a-z0-9_]{1,62}")
MOST_LABELS = 10
LONGEST_VALUE = 128
# No label of a caller begins with an underscore.
OVERFLOW = "__overflow__"
OVERFLOW_LABELS: tuple[tuple[str, str], ...] = ((OVERFLOW, "true"),)

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One line of numbers; labels are sorted by name."""

    workspace_id: str
    metric: str
    labels: Labels = ()

    @classmethod
    def of(cls, workspace_id: str, metric: str, labels: Mapping[str, str] | None = None) -> Series:
        """Raises RealtimeError: workspace_id, metric_name, label_name, label_value, too_many_labels."""
        check_metric(workspace_id, metric)
        return cls(workspace_id, metric, checked_labels(labels or {}))

    @property
    def is_overflow(self) -> bool:
        """Whether it holds what the cap of its metric had no series left for."""
        return self.labels == OVERFLOW_LABELS

    @property
    def id(self) -> str:
        """128 bits of the canonical JSON, as hexadecimal digits."""
        return _digest((self.workspace_id, self.metric, self.labels))

    @property
    def overflow(self) -> Series:
        """The series of the same metric for what is beyond the cap."""
        return Series(self.workspace_id, self.metric, OVERFLOW_LABELS)


def check_metric(workspace_id: str, metric: str) -> None:
    """Raises RealtimeError: workspace_id, metric_name."""
    if not (0 < len(workspace_id) <= LONGEST_VALUE and _is_text(workspace_id)):
        raise RealtimeError("workspace_id", f"A workspace id has 1 to {LONGEST_VALUE} characters.")
    if not NAME.fullmatch(metric):
        raise RealtimeError(
            "metric_name", "A metric's name has 2 to 63 characters: a small letter, then small letters, digits and _."
        )


def checked_labels(labels: Mapping[str, str]) -> Labels:
    """Labels sorted by name. Raises RealtimeError: label_name, label_value, too_many_labels."""
    if len(labels) > MOST_LABELS:
        raise RealtimeError("too_many_labels", f"A series has at most {MOST_LABELS} labels.")
    for name, value in labels.items():
        if not NAME.fullmatch(name):
            raise RealtimeError("label_name", "A label's name is written like a metric's: small letters, digits and _.")
        if len(value) > LONGEST_VALUE or not _is_text(value):
            raise RealtimeError("label_value", f"A label's value is text of at most {LONGEST_VALUE} characters.")
    return tuple(sorted(labels.items()))


def slot_of(workspace_id: str, metric: str) -> str:
    """128 bits that name a metric of a workspace, as hexadecimal digits."""
    return _digest((workspace_id, metric))


def labels_text(labels: Labels) -> str:
    """Labels as JSON; labels_of reads it."""
    return json.dumps(labels, separators=(",", ":"))


def labels_of(text: str | bytes) -> Labels:
    """The labels that labels_text wrote."""
    return tuple((name, value) for name, value in json.loads(text))


# bounded; a feed asks the same series again and again
@lru_cache(maxsize=16_384)
def _digest(parts: tuple[str, str] | tuple[str, str, Labels]) -> str:
    return blake2b(json.dumps(parts, separators=(",", ":")).encode(), digest_size=16).hexdigest()


def _is_text(value: str) -> bool:
    """Whether it can be written down: half a surrogate pair cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
