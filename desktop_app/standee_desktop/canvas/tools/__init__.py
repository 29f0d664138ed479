"""The canvas's tools: what the mouse does."""
