"""3D viewport: drawing, hover, and the workspace tool."""
