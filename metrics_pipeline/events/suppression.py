"""Events of people who were erased are refused at the door, and leave no trace: not in quarantine either."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.erased_people import ErasedPeople, ErasedPeopleReader
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.errors import UserError
from metrics_pipeline.events.model import Event, Refused
from metrics_pipeline.settings import Settings

# How long an event of somebody just erased may still be accepted here: the drain, which asks anew each time, drops it.
REMEMBER_SECONDS = 5.0
CODE = "erased_person"
DETAIL = "belongs to a person whose data was erased"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Erased:
    """An event of an erased person: answered, and kept nowhere."""

    event_id: str | None


Checked = Event | Refused | Erased


class Suppression:
    """Who was erased, remembered for a few seconds. Without a reader: nobody."""

    def __init__(self, reader: ErasedPeopleReader | None = None) -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._people = ErasedPeople()
        if reader is not None:
            self._people = reader.read()
            self._read_at = time.monotonic()

    @classmethod
    def open(cls, settings: Settings) -> Suppression:
        """What the control database says.

        Raises:
            UserError: it cannot be used, or the key ring lost a key.
        """
        return cls(erased_people_reader(settings))

    @property
    def is_stale(self) -> bool:
        """Whether it is time to ask the database again."""
        return self._reader is not None and time.monotonic() - self._read_at > REMEMBER_SECONDS

    def refresh(self) -> None:
        """Ask the database, unless another thread is asking; what it said last goes on counting while it is away."""
        if self._reader is None or not self._lock.acquire(blocking=False):
            return
        try:
            self._people = self._reader.read()
        except (DBAPIError, UserError) as error:
            log.warning("who was erased could not be read anew: %s", type(error).__name__)
        finally:
            self._read_at = time.monotonic()
            self._lock.release()

    def without_erased(self, checked: Sequence[Event | Refused]) -> list[Checked]:
        """The events, those of erased people replaced by the mere fact."""
        if not self._people.digests:
            return list(checked)
        return [
            Erased(event.event_id) if is_erased(self._people, event.workspace_id, event.columns) else event
            for event in checked
        ]


def is_erased(people: ErasedPeople, workspace_id: str, columns: Mapping[str, object]) -> bool:
    """Whether an event with these columns belongs to somebody who was erased."""
    user_id, session_id = columns.get("user_id"), columns.get("session_id")
    return (
        workspace_id,
        user_id if isinstance(user_id, str) else None,
        session_id if isinstance(session_id, str) else None,
    ) in people


def erased_people_reader(settings: Settings) -> ErasedPeopleReader:
    """Reads who was erased from the configured control database.

    Raises:
        UserError: the database cannot be used.
    """
    return ErasedPeopleReader(open_control(settings), lambda: load_key_ring(settings))
