"""Layered pictures of other programs: OpenRaster and Photoshop files, in and out."""
