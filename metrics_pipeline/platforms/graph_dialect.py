"""How every Graph API of Meta says no, announces a spent quota, and names the version that answered."""

from __future__ import annotations

from metrics_pipeline.platforms.dialect import Dialect
from metrics_pipeline.platforms.graph_errors import classify, quota_used_up

GRAPH_DIALECT = Dialect(
    classify=lambda answer, _now: classify(answer),
    quota_used_up=lambda answer, _now: quota_used_up(answer),
    version_header="facebook-api-version",
)
