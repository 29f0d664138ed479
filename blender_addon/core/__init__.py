"""Pure geometry and state machines of the add-on, on numpy. Nothing here imports bpy.

Pure functions over numpy and `standee`'s own types. Nothing in this folder imports `bpy` or `gpu`,
so all of it is tested without Blender.
"""
