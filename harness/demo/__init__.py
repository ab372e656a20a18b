"""A walk through the platform that checks what it shows."""
