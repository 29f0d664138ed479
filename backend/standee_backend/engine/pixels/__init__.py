"""Pixels on the host: what comes before the model and after it."""
