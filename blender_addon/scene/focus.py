"""Input focus: whether a subject or an object of Blender's was clicked last."""

on_subject = False
"""Whether it was a subject."""
