"""Render passes, visibility of bound layers, and billboards."""
