"""Simulated platforms over real HTTP: the same requests, answers, limits and refusals, with a history of arithmetic."""
