"""Command line."""

from metrics_pipeline.cli.app import main

__all__ = ["main"]
