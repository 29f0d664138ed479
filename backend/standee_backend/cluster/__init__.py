"""Slots on other machines: Ray places them and moves what they need, the daemon keeps the jobs."""
