"""Runs: what was planned, driven, recorded, and what it says."""
