"""Sends what a plan says, when it says so, and records what came back."""
