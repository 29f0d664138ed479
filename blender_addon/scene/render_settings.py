"""Render settings that are copied from the artist's scene, view layer and camera.

What only says how and where the artist's own renders are saved (size, border, stamp, file format,
views, compositor, sequencer), and all that moves (animation, drivers, markers), is not in it.
"""

import contextlib
from typing import Any

import bpy

SCENE = ("world", "background_set", "frame_start", "frame_end", "use_gravity", "gravity")
RENDER = (
    "engine", "fps", "fps_base", "frame_map_old", "frame_map_new", "dither_intensity",
    "filter_size", "film_transparent", "threads_mode", "threads", "use_motion_blur",
    "motion_blur_shutter", "motion_blur_position", "hair_type", "hair_subdiv",
    "use_high_quality_normals", "use_simplify", "simplify_subdivision_render",
    "simplify_child_particles_render", "simplify_volumes", "simplify_shadows_render",
    "use_simplify_normals",
)  # fmt: skip
LAYER = (
    "material_override", "world_override", "samples", "use_solid", "use_sky", "use_ao",
    "use_strand", "use_volumes", "use_motion_blur", "use_grease_pencil",
)  # fmt: skip
GROUPS = ("unit_settings", "eevee", "display", "grease_pencil_settings")
"""Groups of a scene that are taken whole, besides those of render engines that add-ons bring."""
CAMERA = ("clip_start", "clip_end")
LENS_BLUR = (
    "use_dof", "focus_object", "focus_subtarget", "focus_distance", "aperture_fstop",
    "aperture_blades", "aperture_rotation", "aperture_ratio",
)  # fmt: skip
OF_THE_VIEW = {"preview_pause"}
"""Settings of render engines that redraw the view they are set in: a stage is in none."""
SRGB = "sRGB"
"""Pictures are sRGB, whatever display the artist works on."""


def copy_scene_settings(
    target: bpy.types.Scene, scene: bpy.types.Scene, layer: bpy.types.ViewLayer
) -> None:
    """Copy what is listed, as the scene has it at its present frame."""
    _copy(target, scene, SCENE)
    _copy(target.render, scene.render, RENDER)
    for group in (*GROUPS, *_groups_of_addons(scene)):
        if hasattr(scene, group):
            _copy_all(getattr(target, group), getattr(scene, group))
    _copy_colour_management(target, scene)
    _copy_custom_properties(target, scene)
    only = target.view_layers[0]
    _copy(only, layer, LAYER)
    _copy_custom_properties(only, layer)
    for group in ("eevee", "cycles"):
        if hasattr(layer, group):
            _copy_all(getattr(only, group), getattr(layer, group))
    target.frame_current, target.frame_subframe = scene.frame_current, scene.frame_subframe


def copy_camera_settings(
    lens: bpy.types.Camera, camera: bpy.types.Camera, depsgraph: bpy.types.Depsgraph | None
) -> None:
    """Copy what is listed of the camera, as Blender evaluates it at the present frame."""
    now = camera.evaluated_get(depsgraph) if depsgraph is not None else camera
    _copy(lens, now, CAMERA)
    _copy(lens.dof, now.dof, LENS_BLUR)
    lens.dof.focus_object = camera.dof.focus_object  # the object itself, not its evaluated copy


def _groups_of_addons(scene: bpy.types.Scene) -> list[str]:
    """Return the groups that render engines (Cycles too) added to scenes."""
    ours = {"standee"}
    return [
        one.identifier
        for one in scene.bl_rna.properties
        if one.type == "POINTER"
        and one.is_runtime
        and one.identifier not in ours
        and isinstance(getattr(scene, one.identifier, None), bpy.types.PropertyGroup)
    ]


def _copy_colour_management(target: bpy.types.Scene, scene: bpy.types.Scene) -> None:
    for device in (scene.display_settings.display_device, SRGB):
        with contextlib.suppress(TypeError):
            target.display_settings.display_device = device
    for name in ("view_transform", "look", "exposure", "gamma", "use_white_balance"):
        _copy(target.view_settings, scene.view_settings, (name,))
    for name in ("white_balance_temperature", "white_balance_tint"):
        _copy(target.view_settings, scene.view_settings, (name,))
    if scene.view_settings.use_curve_mapping:
        target.view_settings.use_curve_mapping = True
        _copy_curves(target.view_settings.curve_mapping, scene.view_settings.curve_mapping)


def _copy_curves(target: bpy.types.CurveMapping, source: bpy.types.CurveMapping) -> None:
    _copy_all(target, source)
    for ours, theirs in zip(target.curves, source.curves, strict=True):
        while len(ours.points) > len(theirs.points):
            ours.points.remove(ours.points[1])
        while len(ours.points) < len(theirs.points):
            ours.points.new(0.5, 0.5)
        for ours_at, theirs_at in zip(ours.points, theirs.points, strict=True):
            ours_at.location, ours_at.handle_type = theirs_at.location, theirs_at.handle_type
    target.update()


def _copy_custom_properties(target: bpy.types.ID, source: bpy.types.ID) -> None:
    """Take the artist's own properties, which materials may read."""
    for name in list(source.keys()):
        if name not in source.bl_rna.properties:
            target[name] = source[name]


def _copy(target: Any, source: Any, names: tuple[str, ...]) -> None:
    """Set these properties; what this version of Blender does not have or know is left alone."""
    for name in names:
        with contextlib.suppress(AttributeError, TypeError):
            setattr(target, name, getattr(source, name))


def _copy_all(target: Any, source: Any) -> None:
    """Set all properties of a group, and of the groups in it."""
    for one in source.bl_rna.properties:
        name = one.identifier
        if one.type == "POINTER" and isinstance(one.fixed_type, bpy.types.Struct):
            value = getattr(source, name, None)
            inner = one.is_readonly and value is not None and not isinstance(value, bpy.types.ID)
            if inner and name != "rna_type":
                _copy_all(getattr(target, name), value)
                continue
        if not one.is_readonly and one.type != "COLLECTION" and name not in OF_THE_VIEW:
            _copy(target, source, (name,))
