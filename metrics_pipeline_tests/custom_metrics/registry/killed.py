"""What the killed process does: import three definitions again and again, each time with other formulas."""

from __future__ import annotations

import sys
from pathlib import Path

from metrics_pipeline.control.database import open_control
from metrics_pipeline.custom_metrics.registry.registry import Registry
from metrics_pipeline.settings import load_settings
from metrics_pipeline_tests.custom_metrics.registry.conftest import BOSS, CLOCK, derived, simple


def main(directory: str) -> None:
    registry = Registry(open_control(load_settings(data_dir=Path(directory))), CLOCK)
    number = registry.newest_change()
    while True:
        number += 1
        documents = [
            derived("both", "one", "two"),
            simple("one", f"amount / {number}"),
            simple("two", f"fee / {number}"),
        ]
        registry.create_all(BOSS, documents)
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
