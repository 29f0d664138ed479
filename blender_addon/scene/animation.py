"""Animation curves of a datablock, in every supported version of Blender."""

import bpy


def curve_bags(owner: bpy.types.ID) -> list[bpy.types.bpy_prop_collection]:
    """Return the collections that hold the animation curves of a datablock."""
    data = owner.animation_data
    if data is None or data.action is None:
        return []
    if hasattr(data.action, "fcurves"):
        return [data.action.fcurves]
    strips = [strip for layer in data.action.layers for strip in layer.strips]
    return [
        bag.fcurves
        for strip in strips
        for bag in strip.channelbags
        if data.action_slot is None or bag.slot == data.action_slot
    ]


def curves_of(owner: bpy.types.ID, path: str) -> list[bpy.types.FCurve]:
    """Return the curves that animate a property of a datablock."""
    return [curve for bag in curve_bags(owner) for curve in bag if curve.data_path == path]


def follows_others(owner: bpy.types.ID, paths: tuple[str, ...]) -> bool:
    """Whether drivers or strips of actions move one of these properties."""
    data = owner.animation_data
    if data is None:
        return False
    return bool(data.nla_tracks) or any(one.data_path in paths for one in data.drivers)


def remap(owner: bpy.types.ID, path: str, scale: float, offset: float = 0.0) -> None:
    """Scale and shift a property and all its keys."""
    setattr(owner, path, getattr(owner, path) * scale + offset)
    for curve in curves_of(owner, path):
        for key in curve.keyframe_points:
            for point in (key.co, key.handle_left, key.handle_right):
                point[1] = point[1] * scale + offset
        curve.update()
