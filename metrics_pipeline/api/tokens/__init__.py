"""Tokens (JWT) of an external issuer."""
