"""The platform on one machine: every part as a process, under one supervisor."""
