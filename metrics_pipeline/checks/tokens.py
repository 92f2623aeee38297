"""A warning days before a token ends that nobody but the account's owner can renew."""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

from metrics_pipeline.assets.collection import platform_asset_key
from metrics_pipeline.automation.alerts import Alerts
from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.control.accounts import list_accounts
from metrics_pipeline.control.token_refresh import valid_until
from metrics_pipeline.pipeline import Pipeline


def token_checks(platforms: Sequence[PlatformSpec]) -> list[dg.AssetChecksDefinition]:
    """One check per platform, evaluated with every run of its series."""
    return [_token_check(spec) for spec in platforms]


def _token_check(spec: PlatformSpec) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=platform_asset_key(spec.platform, "insights"),
        name="tokens_last",
        description="No account's owner has to sign in again soon.",
    )
    def tokens_last(pipeline: dg.ResourceParam[Pipeline]) -> dg.AssetCheckResult:
        ends = ending_soon(pipeline, spec.platform)
        lines = [f"- {name}: until {until}" for name, until in ends]
        texts = {
            f"token:{spec.platform}:{name}": f"The token of {spec.label} account {name} ends {until}: only its owner "
            "can renew it (metrics-pipeline account token)."
            for name, until in ends
        }
        Alerts.of(pipeline).alert_these(f"token:{spec.platform}:", texts)
        return dg.AssetCheckResult(
            passed=not ends,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"ending": len(ends), "accounts": dg.MetadataValue.md("\n".join(lines) or "none")},
        )

    return tokens_last


def ending_soon(pipeline: Pipeline, platform: str) -> list[tuple[str, str]]:
    """(account, end) of the platform's active accounts whose owner has to sign in within the warning time."""
    limit = pipeline.settings.clock.now() + timedelta(days=pipeline.settings.token_warning_days)
    ends = valid_until(pipeline.control)
    found = [
        (f"{a.workspace_id}/{a.account_id}", ends[(a.workspace_id, a.account_id)])
        for a in list_accounts(pipeline.control, platform=platform)
        if a.status == "active" and (a.workspace_id, a.account_id) in ends
    ]
    return [(name, f"{until:%Y-%m-%d %H:%M} UTC") for name, until in sorted(found) if until < limit]
