"""What the artist clicked last: a subject, or something of Blender's. The tool's keys act on that."""

on_subject = False
"""Whether it was a subject."""
