"""The 3D view: drawing, what is hovered, the tool."""
