"""The canvas: where layers are arranged. `view.py` shows it, a `Tool` decides what the mouse does."""
