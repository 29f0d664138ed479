"""OpenEXR passes, occlusion by depth, and the geometry of billboards. No bpy here."""
