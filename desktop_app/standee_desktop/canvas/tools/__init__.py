"""Mouse tools of the canvas."""
