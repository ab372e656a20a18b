"""Intervals and tests behind what the harness says. Each method names its source."""
