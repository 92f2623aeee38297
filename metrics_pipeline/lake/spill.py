"""Where intermediate rows wait on disk: one directory per lake under the system's temporary directory.

They may name people. A process that is killed leaves them behind, so an erasure has to know where to look.
"""

from __future__ import annotations

import os
import tempfile
import time
from hashlib import blake2b
from pathlib import Path


def spill_directory(location: str = "") -> Path:
    """The directory of the lake at this location; it need not exist."""
    lake = blake2b(location.encode(), digest_size=6).hexdigest()
    return Path(tempfile.gettempdir()) / f"metrics-pipeline-{os.getuid()}-{lake}"


def sweep_spill(location: str, hours: float) -> int:
    """Delete what nobody has touched for `hours`; returns the files that are left, of processes at work or newer."""
    left = 0
    for file in spill_directory(location).rglob("*"):
        try:
            if file.is_dir():
                continue
            if time.time() - file.stat().st_mtime >= hours * 3600:
                file.unlink()
            else:
                left += 1
        except FileNotFoundError:  # its owner was quicker
            continue
    return left
