"""Metrics that users define: their format, what they may read, how they become a statement, and their values."""
