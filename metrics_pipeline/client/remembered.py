"""Answers that the client keeps, so that the server may answer 304 where they are still right."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True)
class Remembered:
    etag: str
    body: bytes


class RememberedAnswers:
    """The answers asked for last, by address; at most so many and so many bytes. Safe to use from several threads."""

    def __init__(self, most: int = 128, most_bytes: int = 16_000_000) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._kept: OrderedDict[str, Remembered] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, url: str) -> Remembered | None:
        """What was answered last; None where it is not kept."""
        with self._lock:
            found = self._kept.get(url)
            if found is not None:
                self._kept.move_to_end(url)
            return found

    def put(self, url: str, etag: str, body: bytes) -> None:
        """Keep an answer, and forget those that were not asked for the longest if it gets too many."""
        with self._lock:
            self._drop(url)
            self._kept[url] = Remembered(etag, body)
            self._bytes += len(body)
            while len(self._kept) > self._most or self._bytes > self._most_bytes:
                self._drop(next(iter(self._kept)))

    def _drop(self, url: str) -> None:
        if (old := self._kept.pop(url, None)) is not None:
            self._bytes -= len(old.body)
