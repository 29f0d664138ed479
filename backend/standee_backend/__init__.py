"""The Standee backend: the daemon, and the engine that composes pictures on this machine's own device.

`daemon` and what it stands on import no torch; only the worker child process does.
"""
