"""Proofs that the pipeline keeps its promises: real processes, real Delta, real HTTP, real Dagster.

By default small, so that they run with every test; PROVE=1 (`make prove`) runs them at full size.
"""
