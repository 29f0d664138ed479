"""The process that owns a device and runs jobs on it."""
