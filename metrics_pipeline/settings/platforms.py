"""The three settings that every platform has, whether there are fields for them or not."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import Self

from pydantic import ModelWrapValidatorHandler, PrivateAttr, SecretStr, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

_NAME = re.compile(r"[a-z][a-z0-9_]*_(?:base_url|client_id|client_secret)")


class PlatformSettings(BaseSettings):
    """METRICS_<PLATFORM>_BASE_URL, _CLIENT_ID and _CLIENT_SECRET of any platform.

    A field of that name documents one and wins; without a field its value is kept here, out of every repr and dump.
    """

    _without_field: dict[str, SecretStr] = PrivateAttr(default_factory=dict)

    def client_credentials(self, platform: str) -> tuple[str | None, str | None]:
        """Id and secret of the application that a platform's tokens were issued for, as far as they are set."""
        return self._value(f"{platform}_client_id"), self._value(f"{platform}_client_secret")

    def base_url(self, platform: str) -> str | None:
        """The override of a platform's host, or None for the real one."""
        return self._value(f"{platform}_base_url")

    def with_base_url(self, platform: str, url: str) -> Self:
        """A copy in which the platform has this host."""
        name = f"{platform}_base_url"
        if name in type(self).model_fields:
            return self.model_copy(update={name: url})
        copy = self.model_copy()
        copy._without_field = {**self._without_field, name: SecretStr(url)}
        return copy

    def _value(self, name: str) -> str | None:
        value: object = getattr(self, name) if name in type(self).model_fields else self._without_field.get(name)
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        return value if isinstance(value, str) else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        beyond_fields = _PlatformEnvironment(settings_cls, env_settings)
        return init_settings, env_settings, beyond_fields, dotenv_settings, file_secret_settings

    @model_validator(mode="wrap")
    @classmethod
    def _keep_what_has_no_field(cls, values: object, make: ModelWrapValidatorHandler[Self]) -> Self:
        settings = make(values)
        if isinstance(values, dict):
            found = _named_after_platforms(values, cls.model_fields)
            settings._without_field = {name: SecretStr(value) for name, value in found.items()}
        return settings


def _named_after_platforms(values: Mapping[str, object], fields: Container[str]) -> dict[str, str]:
    """Those of `values` that are settings of a platform and no fields; one set to nothing is not set."""
    return {
        name: value
        for name, value in values.items()
        if name not in fields and _NAME.fullmatch(name) and isinstance(value, str) and value
    }


class _PlatformEnvironment(PydanticBaseSettingsSource):
    """What the environment says beyond the fields, which are all that the usual source looks up.

    A settings file needs no such source: it hands on everything that it holds.
    """

    def __init__(self, settings: type[BaseSettings], environment: PydanticBaseSettingsSource) -> None:
        super().__init__(settings)
        self._environment = environment

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[object, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, object]:
        if not isinstance(self._environment, EnvSettingsSource):
            return {}
        prefix = self._environment.env_prefix.lower()
        variables = self._environment.env_vars.items()
        found = {name.removeprefix(prefix): value for name, value in variables if name.startswith(prefix)}
        return {**_named_after_platforms(found, self.settings_cls.model_fields)}
