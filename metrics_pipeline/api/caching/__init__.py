"""Answers that were computed, kept under keys that name the data they were computed from."""
