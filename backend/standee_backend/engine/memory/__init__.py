"""Estimates of the memory that a job takes on a device."""
