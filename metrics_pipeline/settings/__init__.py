"""Settings: the only reader of the environment. Every value has a default, so a laptop needs none."""

from metrics_pipeline.settings.loading import SETTINGS_FILE, load_settings
from metrics_pipeline.settings.model import Settings, networks_of

__all__ = ["SETTINGS_FILE", "Settings", "load_settings", "networks_of"]
