"""Billboard materials: the picture's own colours, an alpha, and a shadow of the same outline.

The camera and sharp mirrors see the picture as it is, unlit; for all other light it is a matt surface
of about its colours, so it does not glow. Cycles and EEVEE read the same nodes.
"""

import bpy
import numpy as np

from ..core import png
from ..scene import image_datablocks
from ..scene.layer_properties import StandeeLayer

SPACES = {
    "AgX": "AgX Base sRGB",
    "Filmic": "Filmic sRGB",
    "Khronos PBR Neutral": "Khronos PBR Neutral sRGB",
    "Raw": "Non-Color",
}
"""The colour space in which a view transform shows a picture as it is; of others sRGB."""
GLOW = "Standee light"
"""The name of the node that undoes the scene's exposure."""


def picture_of(layer: StandeeLayer, part: tuple[float, float]) -> bpy.types.Image:
    """Return a new image of what a layer shows: its picture, cut out.

    `part` is how much of its width and height is shown, around the middle. Raises `BadPicture`, `TooLarge`.
    """
    pixels = image_datablocks.pixels_of(layer.picture).copy()
    if layer.mask is not None:
        mask = image_datablocks.mask_of(layer.mask)
        height, width = pixels.shape[:2]
        rows = (np.arange(height) * mask.shape[0]) // height
        cols = (np.arange(width) * mask.shape[1]) // width
        pixels[..., 3] = mask[rows[:, None], cols[None]]
    edges = [
        round(side * (1 - one) / 2) for side, one in zip(pixels.shape, part[::-1], strict=False)
    ]
    top, left = (
        min(edge, (side - 1) // 2) for edge, side in zip(edges, pixels.shape, strict=False)
    )
    pixels = pixels[top : len(pixels) - top, left : pixels.shape[1] - left]
    image = image_datablocks.new_image(f"{layer.name} standee", png.encode(pixels))
    del image["standee_digest"]  # its colour space is its own, so it stands for no other
    return image


def new_material(name: str, image: bpy.types.Image) -> bpy.types.Material:
    """Return a new material that shows an image."""
    material = bpy.data.materials.new(name)
    if material.node_tree is None:  # before Blender 5.0
        material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()

    def node(kind: str, x: float, y: float = 0.0, **values: object) -> bpy.types.Node:
        made = tree.nodes.new(kind)
        made.location = (x, y)
        for key, value in values.items():
            setattr(made, key, value)
        return made

    texture = node("ShaderNodeTexImage", -900, image=image, extension="CLIP")
    path = node("ShaderNodeLightPath", -450, 500)
    seen = node("ShaderNodeMath", -200, 500, operation="MAXIMUM")
    glow = node("ShaderNodeEmission", -200, 150, name=GLOW, label=GLOW)
    more = node("ShaderNodeVectorMath", -600, -100, operation="ADD")
    more.inputs[1].default_value = (1.0, 1.0, 1.0)
    dim = node("ShaderNodeVectorMath", -400, -100, operation="DIVIDE")
    matt = node("ShaderNodeBsdfDiffuse", -200, -50)
    clear = node("ShaderNodeBsdfTransparent", 0, 200)
    surface, shape = node("ShaderNodeMixShader", 0), node("ShaderNodeMixShader", 200)
    output = node("ShaderNodeOutputMaterial", 400)
    for start, end in (
        (path.outputs["Is Camera Ray"], seen.inputs[0]),
        (path.outputs["Is Singular Ray"], seen.inputs[1]),
        (texture.outputs["Color"], glow.inputs["Color"]),
        (texture.outputs["Color"], more.inputs[0]),
        (texture.outputs["Color"], dim.inputs[0]),
        (more.outputs[0], dim.inputs[1]),
        (
            dim.outputs[0],
            matt.inputs["Color"],
        ),  # c / (1 + c): no surface gives back more than it gets
        (seen.outputs[0], surface.inputs[0]),
        (matt.outputs[0], surface.inputs[1]),
        (glow.outputs[0], surface.inputs[2]),
        (texture.outputs["Alpha"], shape.inputs[0]),
        (clear.outputs[0], shape.inputs[1]),
        (surface.outputs[0], shape.inputs[2]),
        (shape.outputs[0], output.inputs["Surface"]),
    ):
        tree.links.new(start, end)
    material.surface_render_method = "DITHERED"
    material.use_transparent_shadow = True
    if hasattr(material, "cycles"):
        material.cycles.emission_sampling = "NONE"  # it lights nothing
    return material


def keep_colours(material: bpy.types.Material, scene: bpy.types.Scene) -> None:
    """Have a material's picture look as it is in a scene's view transform and exposure.

    A look, curves or another gamma still change it, and so does a transform that cannot show a colour.
    """
    tree, view = material.node_tree, scene.view_settings
    space, strength = SPACES.get(view.view_transform, "sRGB"), 2.0**-view.exposure
    for node in tree.nodes:
        if node.bl_idname == "ShaderNodeTexImage" and node.image is not None:
            if node.image.colorspace_settings.name != space:
                node.image.colorspace_settings.name = space
        elif node.name == GLOW and abs(node.inputs["Strength"].default_value - strength) > 1e-6:
            node.inputs["Strength"].default_value = strength
