"""Objects of a depth render that differ from the artist's: without glass, and with every stand-in.

The artist's own stay as they are: copies of them are rendered.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import bpy

from ..scene.render_scene import NAME, RenderObjects

CLEAR = {"ShaderNodeBsdfTransparent", "ShaderNodeBsdfGlass", "ShaderNodeBsdfRefraction"}
"""The shaders that show what is behind them."""


@contextmanager
def without_glass(objects: RenderObjects) -> Iterator[RenderObjects]:
    """The objects, whose bodies are not there where they are glass."""
    with _copies() as copies:
        nothing = None
        shown = []
        for one in objects.shown:
            slots = [n for n, slot in enumerate(one.material_slots) if see_through(slot.material)]
            if slots:
                nothing = nothing or _nothing(copies)
                one = _copy(one, copies)
                for slot in (one.material_slots[n] for n in slots):
                    slot.link = "OBJECT"
                    slot.material = nothing
            shown.append(one)
        yield replace(objects, shown=tuple(shown))


@contextmanager
def rendered_all(family: Iterable[bpy.types.Object]) -> Iterator[list[bpy.types.Object]]:
    """The bodies, with those that renders or cameras do not show as copies that they do."""
    with _copies() as copies:
        found = []
        for one in family:
            if one.hide_render or not one.visible_camera:
                one = _copy(one, copies)
                one.hide_render, one.visible_camera = False, True
            found.append(one)
        yield found


def see_through(material: bpy.types.Material | None) -> bool:
    """Whether a render shows what is behind a material: glass, nothing at all, or fog alone.

    A texture as transparency is not looked into: such a material hides.
    """
    tree = material.node_tree if material is not None else None
    output = tree.get_output_node("ALL") if tree is not None else None
    if output is None:
        return False
    surface = output.inputs["Surface"]
    return _is_clear(surface) if surface.is_linked else output.inputs["Volume"].is_linked


def _is_clear(socket: bpy.types.NodeSocket) -> bool:
    if not socket.is_linked:
        return False
    node = socket.links[0].from_node
    if node.bl_idname == "NodeReroute":
        return _is_clear(node.inputs[0])
    if node.bl_idname == "ShaderNodeMixShader":
        part = node.inputs[0]
        if part.is_linked:
            return False
        return _is_clear(node.inputs[1 if part.default_value < 0.5 else 2])
    if node.bl_idname == "ShaderNodeBsdfPrincipled":
        alpha = node.inputs["Alpha"]
        passes = node.inputs.get("Transmission Weight") or node.inputs["Transmission"]
        faint = not alpha.is_linked and alpha.default_value < 0.5
        return faint or (not passes.is_linked and passes.default_value > 0.5)
    return node.bl_idname in CLEAR


@contextmanager
def _copies() -> Iterator[list[bpy.types.ID]]:
    """A list of copies, which are removed afterwards."""
    copies: list[bpy.types.ID] = []
    try:
        yield copies
    finally:
        bpy.data.batch_remove(copies)


def _copy(one: bpy.types.Object, copies: list[bpy.types.ID]) -> bpy.types.Object:
    copy = one.copy()
    copy.name = NAME
    copies.append(copy)
    return copy


def _nothing(copies: list[bpy.types.ID]) -> bpy.types.Material:
    """Return a material that is not seen."""
    material = bpy.data.materials.new(NAME)
    copies.append(material)
    if material.node_tree is None:  # before Blender 5.0
        material.use_nodes = True
    tree = material.node_tree
    output, clear = tree.get_output_node("ALL"), tree.nodes.new("ShaderNodeBsdfTransparent")
    tree.links.new(clear.outputs[0], output.inputs["Surface"])
    return material
