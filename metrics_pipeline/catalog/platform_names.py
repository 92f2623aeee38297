"""The platforms there are: each has one YAML beside its module. Only file names are read, so commands start fast."""

from __future__ import annotations

from pathlib import Path

PLATFORM_DIR = Path(__file__).parent.parent / "platforms"

PLATFORM_NAMES: tuple[str, ...] = tuple(sorted(file.stem for file in PLATFORM_DIR.glob("*.yaml")))
"""What an account may belong to, in alphabetical order."""
