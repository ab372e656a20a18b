"""Suites: a list of steps, each a question to a running platform, and a verdict."""
