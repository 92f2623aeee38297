"""What tells somebody: `alert` while something is so, `recovered` when it is over, `deliver` at every tick.

A key names one thing that can be wrong: `run:...`, `token:...`, `partitions:...`, `check:...`, `anomalies:...`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from sqlalchemy import Engine

from metrics_pipeline.automation.alert_channels import ChannelError, Send, channels
from metrics_pipeline.control.alerts import (
    Severity,
    Telling,
    claim_message,
    fire,
    firing_keys,
    note_sent,
    release_message,
    resolve,
)
from metrics_pipeline.control.job_runs import FailureAlerts
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import Settings

log = logging.getLogger("metrics_pipeline.alerts")

# Of the 60 s that a sensor's tick may take; what is left waits for the next one.
SECONDS_PER_TICK = 30.0


@dataclass(frozen=True)
class Alerts:
    """The alerts of one installation; processes share them through the control database."""

    settings: Settings
    control: Engine

    @classmethod
    def of(cls, pipeline: Pipeline) -> Alerts:
        return cls(pipeline.settings, pipeline.control)

    @cached_property
    def _channels(self) -> Mapping[str, Send]:
        return channels(self.settings)

    @property
    def telling(self) -> Telling:
        return Telling(tuple(self._channels), timedelta(hours=self.settings.alert_repeat_hours))

    @property
    def of_failures(self) -> FailureAlerts:
        return FailureAlerts(self.telling, self.settings.alert_after_failures)

    def alert(self, key: str, text: str, severity: Severity = "warning", *, once: bool = False) -> bool:
        """Say that something is so; it is told when it begins, and every METRICS_ALERT_REPEAT_HOURS while it lasts.

        Messages wait for `deliver`, so a channel that fails holds nobody up. True if any were written. With `once`
        it is never told again.
        """
        now = self.settings.clock.now()
        return fire(self.control, self.telling, key, text, severity, now=now, once=once)

    def recovered(self, key: str, text: str | None = None) -> bool:
        """Say that it is over, with a message if there is a text; nothing happens if it was not so before."""
        return resolve(self.control, self.telling, key, text, now=self.settings.clock.now())

    def alert_these(self, prefix: str, texts: Mapping[str, str], severity: Severity = "warning") -> None:
        """`alert` for every key that is so now; those under `prefix` that no longer are have recovered, silently."""
        for key, text in texts.items():
            self.alert(key, text, severity)
        for key in firing_keys(self.control, prefix) - texts.keys():
            self.recovered(key)

    def deliver(self) -> int:
        """Send what waits, each message once; returns how many were taken.

        A channel that fails is logged, left alone until the next tick, and stops neither the others nor the caller.
        """
        working, sent, started = dict(self._channels), 0, time.monotonic()
        while working and time.monotonic() - started < SECONDS_PER_TICK:
            now = self.settings.clock.now()
            message = claim_message(self.control, working.keys(), now=now, not_before=now - self.telling.repeat_after)
            if message is None:
                break
            try:
                working[message.channel](message)
            except ChannelError as error:
                log.warning("the alert %s did not take a message: %s", message.channel, error)
                release_message(self.control, message.number)
                del working[message.channel]
            else:
                note_sent(self.control, message.number, now=now)
                sent += 1
        return sent
