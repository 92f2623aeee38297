"""Why something is not done: not allowed, or not there, which for a metric is the same."""

from __future__ import annotations

from metrics_pipeline.custom_metrics.faults import DefinitionError, Fault
from metrics_pipeline.errors import UserError


class DeniedError(UserError):
    """Refused to whoever asked; goes into the audit. reason: a code for it, not told to the caller."""

    def __init__(self, text: str, reason: str, metric_id: str | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.metric_id = metric_id


class NotAllowedError(DeniedError):
    """A role is missing, whatever the metric: `role` names it."""

    def __init__(self, role: str) -> None:
        super().__init__(f"This needs the role {role} in a workspace.", "role_missing")
        self.role = role


class MetricNotFoundError(DeniedError):
    """There is no such metric, or not for whoever asked: one text for both."""

    def __init__(self, reason: str = "unknown", metric_id: str | None = None) -> None:
        super().__init__("There is no such metric.", reason, metric_id)


class RightMissingError(DefinitionError):
    """A definition that whoever sent it may not make so: too visible, or somebody else's. In the audit: denied."""


class VersionConflictError(DefinitionError):
    """It was changed since it was looked at; `current` is the version in force."""

    def __init__(self, current: int) -> None:
        super().__init__([Fault("", "version_conflict", f"It was changed meanwhile; it is at version {current} now.")])
        self.current = current
