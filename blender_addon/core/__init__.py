"""What stands where, in numbers: frames, overlays, hits, gestures, depth and time.

Pure functions over numpy and `standee`'s own types. Nothing in this folder imports `bpy` or `gpu`,
so all of it is tested without Blender.
"""
