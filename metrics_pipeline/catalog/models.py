"""The shapes of the catalogue: what a metric means, and how a platform's own metrics map to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from metrics_pipeline.catalog.cadence import DEFAULT as DEFAULT_CADENCE
from metrics_pipeline.catalog.cadence import Cadence
from metrics_pipeline.catalog.calls import ApiCall, Limit
from metrics_pipeline.catalog.oauth import OAuth

Additivity = Literal["additive", "last_value", "unique", "ratio", "maximum", "minimum"]
AcrossEntities = Literal["sum", "unique", "ratio", "none"]
SnapshotSection = Literal["messages", "campaigns", "contacts", "conversations"]


# In the column `platform`: every platform together, and first-party content.
RESERVED = frozenset({"all", "app"})


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Metric(_Model):
    """One canonical metric.

    additivity says how days become a week or a month; across_entities how accounts become a workspace.
    `derived` metrics are computed by sql/daily/ from others, never read from a platform. The levels content and
    creator are first-party content, whose values come from events, campaign comes from the application: all three stand
    under platform 'app'. With `anomalies` its days are compared with their weekdays. `snapshot` names the sections of a
    snapshot that have what platform 'app' says of it.
    """

    name: str
    label: str
    description: str
    unit: Literal["count", "seconds", "ratio", "percent", "currency", "score"]
    levels: list[Literal["account", "post", "workspace", "content", "creator", "campaign"]] = Field(min_length=1)
    additivity: Additivity
    across_entities: AcrossEntities
    comparable_across_platforms: bool = False
    direction: Literal["up", "down", "none"] = "up"
    wide_column: str | None = None
    numerator: str | None = None
    denominator: str | None = None
    derived: bool = False
    anomalies: bool = False
    snapshot: list[SnapshotSection] = []

    @field_validator("snapshot", mode="before")
    @classmethod
    def _one_is_a_list_of_one(cls, value: object) -> object:
        return value if isinstance(value, list) else [value]

    @model_validator(mode="after")
    def _ratios_name_their_parts(self) -> Metric:
        has_parts = self.numerator is not None and self.denominator is not None
        if (self.additivity == "ratio") != has_parts:
            raise ValueError(f"metric {self.name}: numerator and denominator belong to ratios, and to every ratio")
        return self


class DefinitionBreak(_Model):
    """From `date` on, the source counts in another way; earlier and later values are not comparable."""

    date: date
    version: int = Field(ge=2)
    note: str


class SourceMetric(_Model):
    """One metric as a platform names it.

    kind: series (a value per day, past days can be read), counter (lifetime total), unique_counter (lifetime
    distinct people, never differenced), gauge (a level). `scale` turns the platform's unit into the metric's.
    `post_types` limits a post-level source to those types (empty = all). A post-level source that does not add up
    covers only a part of what the account did: the account's figure is never the sum of its posts.
    """

    source: str
    metric: str
    level: Literal["account", "post"]
    kind: Literal["series", "counter", "unique_counter", "gauge"]
    api: str
    windows: list[Literal["P1D", "P7D", "P1M"]] = ["P1D"]
    scale: float = 1.0
    post_types: list[str] = []
    restatement_days: int = Field(0, ge=0)
    rule: Literal["newest", "maximum"] = "newest"
    available_after_hours: int = Field(0, ge=0)
    retention_days: int | None = Field(None, ge=1)
    day_timezone: str = "UTC"
    definition_breaks: list[DefinitionBreak] = []
    optional: bool = False
    adds_up: bool = True

    def definition_version(self, day: date) -> int:
        """The definition in force on a measured day; 1 before any break."""
        return max((b.version for b in self.definition_breaks if b.date <= day), default=1)


class PlatformSpec(_Model):
    """What one platform's YAML says.

    max_window_days bounds one series request, None means unbounded; cadence says how often account and posts are read;
    quota_timezone is the zone in which the platform's days of quota begin; calls and limits: see catalog/calls.py.
    oauth says how its tokens are renewed: one description, or several of which the settings pick one.
    """

    platform: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    label: str
    owner: str = "team:metrics"
    hosts: dict[str, str]
    concurrency: int = Field(4, ge=1)
    cadence: str = DEFAULT_CADENCE
    max_window_days: int | None = None
    oauth: list[OAuth] = []
    quota_timezone: str = "UTC"
    calls: list[ApiCall] = []
    limits: list[Limit] = []
    sources: list[SourceMetric] = Field(min_length=1)

    @field_validator("cadence")
    @classmethod
    def _is_a_cadence(cls, value: str) -> str:
        Cadence.parse(value)
        return value

    @field_validator("platform")
    @classmethod
    def _is_free(cls, value: str) -> str:
        if value in RESERVED:
            raise ValueError(f"a platform cannot be called {value}: rows of that name mean something else")
        return value

    def cadence_under(self, settings: Mapping[str, str]) -> Cadence:
        """The planned readings: what the settings say of this platform, or of every one, wins over its YAML."""
        return Cadence.parse(settings.get(self.platform) or settings.get("default") or self.cadence)

    @field_validator("oauth", mode="before")
    @classmethod
    def _one_is_a_list_of_one(cls, value: object) -> object:
        return value if isinstance(value, list) else [value]

    def oauth_under(self, settings: object) -> OAuth | None:
        """How tokens are renewed under the given settings; None where they cannot be."""
        return next((oauth for oauth in self.oauth if oauth.holds(settings)), None)

    @property
    def restatement_days(self) -> int:
        """Days before today that a daily series run has to read again."""
        return max((s.restatement_days for s in self.sources), default=0)

    def select(self, level: str, kind: str | None = None, api: str | None = None) -> list[SourceMetric]:
        return [s for s in self.sources if s.level == level and kind in (None, s.kind) and api in (None, s.api)]
