"""The editor's window for tests, and the person who uses it."""
