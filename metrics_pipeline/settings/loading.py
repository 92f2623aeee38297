"""Reads the settings from the environment, and says what is wrong with them."""

from __future__ import annotations

import re

from pydantic import ValidationError
from pydantic_settings import SettingsError

from metrics_pipeline.errors import UserError
from metrics_pipeline.settings.model import Settings

SETTINGS_FILE = "settings.env"


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment.

    A file `settings.env` in the data directory holds what belongs to that directory; the environment wins.

    Raises:
        UserError: a variable has a value that cannot be used; the message names it.
    """
    given = {k: v for k, v in overrides.items() if v is not None}
    try:
        data_dir = Settings(**given).data_dir  # type: ignore[arg-type]
        return Settings(_env_file=data_dir / SETTINGS_FILE, **given)  # type: ignore[arg-type]
    except SettingsError as error:
        field = re.search(r'field "(\w+)"', str(error))
        name = f"METRICS_{field[1].upper()}" if field else "A setting"
        raise UserError(f"{name} cannot be used: it is not written as JSON.") from None
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        if not name:  # settings that do not go together: the message names them
            raise UserError(f"{first['msg'].removeprefix('Value error, ')}.") from None
        raise UserError(f"METRICS_{name.upper()} cannot be used: {first['msg']}.") from None
